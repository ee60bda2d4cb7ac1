"""Every state says who acts next; nothing that is open is left to nobody."""

import re

import pytest

from api.v1.urls import urlpatterns
from marketplace.core import fates
from marketplace.core.states import ASSIGNMENT, BATCH, AssignmentState, BatchState, OfferState

OPEN = [
    *(("batch", state.value) for state, targets in BATCH.items() if targets),
    *(("assignment", state.value) for state in AssignmentState if ASSIGNMENT[state] and state != "failed"),
    ("offer", "live"),
]
ALL = [
    *(("batch", state.value) for state in BatchState),
    *(("assignment", state.value) for state in AssignmentState),
    *(("offer", state.value) for state in OfferState),
]


@pytest.mark.parametrize(("kind", "state"), ALL)
def test_every_state_has_words_and_an_owner(kind, state):
    fate = fates.fate(kind, state)
    assert fate.by in fates.OWNERS
    assert fate.words.endswith(".")


@pytest.mark.parametrize(("kind", "state"), OPEN)
def test_what_is_open_is_never_left_to_nobody(kind, state):
    assert fates.fate(kind, state).by in {"timer", "vendor", "customer", "staff"}


def test_every_action_is_a_call_of_the_api():
    known = {
        f"{method.upper()} /{re.sub(r'<[^>]*>', '{}', str(pattern.pattern))}"
        for pattern in urlpatterns
        for method in pattern.callback.actions
    }
    named = {fate.action for group in fates._ALL.values() for fate in group.values()}
    named |= {fate.action for fate in fates._REASONS.values()}
    assert {re.sub(r"\{\w+\}", "{}", action) for action in named if action} - known == set()


def test_an_unknown_state_is_refused():
    with pytest.raises(ValueError, match="no state 'gone' of 'batch'"):
        fates.fate("batch", "gone")
