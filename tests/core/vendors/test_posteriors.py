"""What offers teach about a vendor that may be away."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendors.core.posteriors import AWAY_RATIO, Acceptance, Duration, Ratio

PRIOR = Ratio(3.0, 1.0)
events = st.lists(st.tuples(st.sampled_from(["accepted", "declined", "silent"]), st.floats(0, 1e6)), max_size=30)


def told(history: list[tuple[str, float]]) -> Acceptance:
    belief = Acceptance()
    for kind, seconds in history:
        belief = getattr(belief.after(seconds), kind)()
    return belief


@given(events, st.floats(0, 1e7))
def test_beliefs_stay_probabilities(history, later):
    belief = told(history).after(later)
    assert 0 <= belief.p_away_now <= 1
    assert 0 < belief.p_accept(PRIOR) < 1


@given(events, st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_decline_never_scores_worse_than_silence(history, before, later):
    """Neither at once nor ever after."""
    belief = told(history).after(before)
    declined, silent = belief.declined().after(later), belief.silent().after(later)
    assert declined.p_accept(PRIOR) >= silent.p_accept(PRIOR) - 1e-12


@given(events, st.floats(0, 1e6))
def test_an_accept_never_lowers_the_chance_of_the_next(history, later):
    belief = told(history).after(later)
    assert belief.accepted().p_accept(PRIOR) >= belief.p_accept(PRIOR) - 1e-12


def test_one_silence_is_doubtful_two_are_telling_and_a_day_forgets():
    once = Acceptance().silent()
    twice = once.after(1800).silent()
    assert once.p_away < 0.5
    assert twice.p_away > 0.8
    assert twice.after(24 * 3600).p_away_now == pytest.approx(AWAY_RATIO, abs=0.01)
    assert twice.after(60).accepted().p_away_now == pytest.approx(0, abs=1e-9)


@given(st.lists(st.floats(0.1, 1e5), max_size=20), st.floats(0.1, 1e5), st.floats(0, 1))
def test_a_quicker_answer_never_makes_a_vendor_look_slower(seconds, last, share):
    def belief(*more: float) -> Duration:
        logs = [math.log(value) for value in (*seconds, *more)]
        return Duration(len(logs), sum(logs), sum(value * value for value in logs), 120.0)

    quicker = 0.1 + share * (last - 0.1)
    assert belief(quicker).mean_s <= belief(last).mean_s * (1 + 1e-9)
    if quicker < belief().mean_s * math.exp(-(0.7**2) / 2):
        assert belief(quicker).mean_s <= belief().mean_s * (1 + 1e-9)
