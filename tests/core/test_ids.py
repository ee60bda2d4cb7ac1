"""Identifiers: ordered, well formed, and the same both ways."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ids import from_public, to_public, uuid7


def test_a_process_s_ids_are_strictly_increasing_version_7():
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {identifier.version for identifier in made} == {7}
    assert {identifier.variant for identifier in made} == {uuid.RFC_4122}


@given(st.uuids())
def test_the_outside_form_leads_back(identifier):
    assert from_public("job", to_public("job", identifier)) == identifier


@pytest.mark.parametrize("text", ["", "job_", "job_" + "z" * 26, "bat_" + "0" * 26, "job_" + "0" * 25 + "u", "0" * 30])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"is not an id|is larger"):
        from_public("job", text)
