"""Transfer: paired gains of target models, and usefulness that is each record's effect on accuracy."""

import numpy as np

from benchmarks.transfer import measure
from benchmarks.transfer.models import MODELS


def test_usefulness_is_accuracy_with_a_record_minus_without():
    is_in = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], dtype=np.bool_)
    scores = np.array([[0.8, 0.9, 0.5, 0.4]])
    assert np.allclose(measure._values(is_in, scores), [[0.85 - 0.45, 0.7 - 0.6]])


def test_models_that_agree_correlate_fully_and_bounds_come_from_halves():
    values = np.random.default_rng(0).normal(size=(1, 2, 50))
    halves = np.repeat(np.repeat(values[:, :1], 2, axis=1), 2, axis=0)
    assert np.allclose(measure.correlations(halves), 1)
    noise = measure.correlations(np.random.default_rng(1).normal(size=(2, 2, 400)))
    assert np.abs(noise).max() < 0.3


def test_gains_are_paired_and_repeatable():
    first = measure.gains("breast_cancer", "clean", 3, None)
    assert first == measure.gains("breast_cancer", "clean", 3, None)
    assert set(first) == set(MODELS)
