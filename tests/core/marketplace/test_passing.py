"""What became of an offer, in words."""

import pytest

from marketplace.core import passing
from marketplace.core.states import AssignmentState, OfferState


@pytest.mark.parametrize("state", list(OfferState))
@pytest.mark.parametrize("work", ["", *AssignmentState])
def test_every_state_has_words_without_codes(state, work):
    text = passing.told(state, "some_code", work, "some_code")
    assert text[0].isupper()
    assert text.endswith(".")
    assert "_" not in text


def test_unknown_states_are_refused():
    with pytest.raises(ValueError, match="opera"):
        passing.told("opera", "")
    with pytest.raises(ValueError, match="opera"):
        passing.told("accepted", "", "opera")


@pytest.mark.parametrize(
    ("offer", "work", "words"),
    [
        (("declined", "no_capacity"), ("", ""), "no capacity"),
        (("expired", "no_answer"), ("", ""), "Did not answer in time"),
        (("withdrawn", "lost_wave"), ("", ""), "was faster"),
        (("accepted", ""), ("failed", "past_due"), "not ready in time"),
        (("accepted", ""), ("failed", "machine broke"), "given back (machine broke)"),
    ],
)
def test_why_a_batch_moved_on(offer, work, words):
    assert words in passing.told(*offer, *work)
