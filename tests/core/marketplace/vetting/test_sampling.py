"""ISO 2859-1: the plans of the printed table, their operating characteristic, and verdicts by them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from marketplace.core.acceptance import AQLS, Evidence, decide_by_sampling, plan_for

TABLE = [  # lot, AQL, letter used, sample, accept, as in table 2-A
    (2, 6.5, "A", 2, 0),
    (20, 4.0, "B", 3, 0),
    (20, 10, "C", 5, 1),
    (5, 10, "C", 5, 1),
    (50, 2.5, "C", 5, 0),
    (90, 2.5, "F", 20, 1),
    (150, 2.5, "F", 20, 1),
    (150, 1.0, "E", 13, 0),
    (280, 1.0, "H", 50, 1),
    (500, 1.0, "H", 50, 1),
    (1200, 1.0, "J", 80, 2),
    (3200, 1.0, "K", 125, 3),
    (10_000, 1.0, "L", 200, 5),
    (35_000, 1.0, "M", 315, 7),
    (150_000, 1.0, "N", 500, 10),
    (500_000, 1.0, "P", 800, 14),
    (500_001, 1.0, "Q", 1250, 21),
    (500_001, 2.5, "N", 500, 21),
    (1200, 0.65, "J", 80, 1),
    (1200, 4.0, "J", 80, 7),
    (1200, 6.5, "J", 80, 10),
    (1200, 10, "J", 80, 14),
    (10_000, 0.065, "L", 200, 0),
    (500_001, 0.010, "Q", 1250, 0),
    (500_001, 0.015, "P", 800, 0),
    (500_001, 0.025, "R", 2000, 1),
]


@pytest.mark.parametrize(("lot", "aql", "letter", "sample", "accept"), TABLE)
def test_the_plans_are_those_of_the_standard(lot, aql, letter, sample, accept):
    plan = plan_for(lot, aql)
    assert (plan.letter, plan.sample_size, plan.accept) == (letter, min(sample, lot), accept)


@given(st.integers(2, 10**6), st.sampled_from(AQLS))
def test_every_lot_has_a_plan_that_passes_good_lots_and_no_looser_one_for_less(lot, aql):
    plan = plan_for(lot, aql)
    assert 1 <= plan.sample_size <= lot
    if plan.sample_size < lot:
        assert stats.binom.cdf(plan.accept, plan.sample_size, aql / 100) > 0.85  # the producer's risk at the limit
    if aql > AQLS[0]:
        stricter = plan_for(lot, AQLS[AQLS.index(aql) - 1])
        assert stricter.accept / stricter.sample_size <= plan.accept / plan.sample_size


@pytest.mark.parametrize(("lot", "aql"), [(0, 1.0), (10, 1.1), (10, 0), (10, float("nan")), (10, 15)])
def test_what_is_not_in_the_table_is_refused(lot, aql):
    with pytest.raises(ValueError, match=r"at least 1|must be one of"):
        plan_for(lot, aql)


def evidence(n: int, n_wrong: int, **more) -> Evidence:
    proba = np.full(n, 0.97)
    proba[:n_wrong] = 0.02
    return Evidence([str(i) for i in range(n)], proba, **more)


def verdict(found: Evidence, aql: float = 4.0, seed: int = 0, **more):
    return decide_by_sampling(found, aql, np.random.default_rng(seed), **more)


def test_lots_are_accepted_refused_and_sent_back():
    assert verdict(evidence(100, 0)).decision == "accepted"
    few = verdict(evidence(100, 25))
    assert (few.decision, len(few.rework_keys)) == ("rework", 25)
    assert verdict(evidence(100, 60)).decision == "rejected"
    assert "letter F, AQL 4 %" in few.reasons[0].detail
    assert few.reasons[0].facts["sample_size"] == 20


def test_gold_is_inspected_too():
    found = evidence(10, 0, gold_hits=10, gold_correct=2)
    decisions = {verdict(found, seed=seed).decision for seed in range(20)}
    assert "rejected" in decisions


def test_spam_is_refused_whatever_the_sample_says():
    assert verdict(evidence(100, 0, spam_probability=0.99)).decision == "rejected"


def test_too_few_judged_wait_and_then_the_sequential_test_decides_and_says_so():
    proba = np.full(100, np.nan)
    proba[:5] = 0.98
    found = Evidence([str(i) for i in range(100)], proba)
    waiting, final = verdict(found, is_final=False), verdict(found)
    assert (waiting.decision, waiting.reasons[0].code) == ("escalated", "sample_too_small")
    assert (final.decision, final.reasons[0].code) == ("accepted", "sample_too_small")
    assert "sequential test decides" in final.reasons[0].detail


def test_the_share_of_accepted_lots_is_that_of_the_plan():
    rng = np.random.default_rng(1)
    for error in (0.02, 0.1):
        accepted = np.mean(
            [verdict(evidence(150, rng.binomial(150, error)), 2.5, seed).decision == "accepted" for seed in range(600)]
        )
        assert accepted == pytest.approx(stats.binom.cdf(1, 20, error), abs=0.05)
