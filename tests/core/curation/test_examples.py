"""The examples in the docstrings of the core hold."""

import doctest
import importlib
import pkgutil

import pytest

import curation.core

MODULES = [found.name for found in pkgutil.walk_packages(curation.core.__path__, "curation.core.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
