"""Verdicts on assignments, and spam."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.acceptance import (
    Evidence,
    Plan,
    copies,
    decide,
    inspections_needed,
    is_constant,
    spam_probability,
)
from marketplace.core.aggregation import Answers, aggregate


def evidence(*proba, **facts):
    return Evidence([f"r{index}" for index in range(len(proba))], np.array(proba, dtype=float), **facts)


def test_good_work_is_accepted_by_its_bound():
    verdict = decide(evidence(*[0.98] * 60, gold_hits=10, gold_correct=10))
    assert verdict.decision == "accepted"
    assert verdict.error_high <= 0.1
    assert verdict.reasons[0].code == "error_within_limit"
    assert verdict.rework_keys == ()


def test_few_contradicted_records_are_named():
    verdict = decide(evidence(*[0.98] * 16, 0.02, 0.1, 0.05, 0.2))
    assert verdict.decision == "rework"
    assert verdict.rework_keys == ("r16", "r17", "r18", "r19")
    assert verdict.reasons[0].code == "records_contradicted"


def test_bad_work_is_rejected():
    verdict = decide(evidence(*[0.1] * 12, *[0.9] * 8, gold_hits=6, gold_correct=2))
    assert verdict.decision == "rejected"
    assert verdict.error_low > 0.1


def test_bad_gold_is_not_repaired_by_redoing_named_records():
    assert decide(evidence(*[0.98] * 19, 0.1, gold_hits=20, gold_correct=8)).decision == "rejected"


def test_spam_is_rejected_first():
    verdict = decide(evidence(*[0.98] * 60, spam_probability=0.99))
    assert verdict.decision == "rejected"
    assert verdict.reasons[0].code == "spam"


def test_undecided_work_is_escalated_until_it_must_be_decided():
    some = evidence(*[0.93] * 6)
    assert decide(some, is_final=False).decision == "escalated"
    assert decide(some).decision == "accepted"


def test_history_alone_rejects_nobody_and_washes_nothing_out():
    bad_history = {"prior_right": 50.0, "prior_wrong": 50.0}
    assert decide(evidence(np.nan, np.nan, **bad_history)).reasons[0].code == "not_contradicted"
    assert decide(evidence(*[0.1] * 30, prior_right=1e6, prior_wrong=1.0)).decision == "rejected"


def test_empty_assignment_is_decided_without_error():
    verdict = decide(evidence())
    assert verdict.decision == "accepted"
    assert 0 < verdict.error_low < verdict.error_high < 1


probabilities = st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=40)


@given(probabilities, st.integers(0, 10), st.integers(0, 10), st.booleans())
def test_every_evidence_gets_one_explained_verdict(proba, hits, correct, is_final):
    verdict = decide(evidence(*proba, gold_hits=hits, gold_correct=min(hits, correct)), is_final=is_final)
    assert 0 <= verdict.error_low <= verdict.error <= verdict.error_high + 0.2 <= 1.2
    assert (verdict.decision == "rework") == bool(verdict.rework_keys)
    assert verdict.decision != "escalated" or not is_final
    assert len(verdict.reasons) == 3
    assert all(reason.code and reason.detail for reason in verdict.reasons)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Evidence(["a"], np.zeros(2)),
        lambda: evidence(gold_hits=1, gold_correct=2),
        lambda: evidence(prior_right=0.0),
        lambda: Plan(max_error=0),
        lambda: Plan(peer_weight=2),
    ],
)
def test_impossible_input_is_refused(wrong):
    with pytest.raises(ValueError, match=r"\d"):
        wrong()


def test_sequential_test_needs_few_inspections_of_good_work():
    assert inspections_needed(9.0, 1.0) < 40
    assert inspections_needed(200.0, 1.0) == 0
    assert inspections_needed(1.0, 500.0, limit=50) == 50


def test_spammers_are_told_from_inverters():
    guessing = np.array([[20.0, 20.0], [21.0, 19.0]])
    inverting = np.array([[2.0, 38.0], [37.0, 3.0]])
    constant = np.array([[40.0, 0.0], [40.0, 0.0]])
    scores = spam_probability(np.stack([guessing, inverting, constant, np.zeros((2, 2))]))
    assert scores[0] > 0.6
    assert scores[1] < 1e-6
    assert scores[2] > 0.7
    assert scores[3] == pytest.approx(0.1)
    assert spam_probability(np.full((10, 10), 4.0)) > 0.95
    with pytest.raises(ValueError, match="square"):
        spam_probability(np.zeros((2, 3)))


def test_constant_answers_are_seen_only_where_classes_vary():
    assert is_constant([2] * 10, np.full(4, 0.25))
    assert not is_constant([2] * 10 + [1], np.full(4, 0.25))
    assert not is_constant([2] * 3, np.full(4, 0.25))
    assert not is_constant([0] * 30, np.array([0.97, 0.03]))


def test_copies_are_found_among_careful_and_careless():
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=120)
    sloppy = np.where(rng.random(120) < 0.6, truth, rng.integers(4, size=120))
    columns = [truth, truth, truth, sloppy, sloppy]  # two careful ones agree on easy records, one copies another
    columns[0] = np.where(np.arange(120) == 7, (truth + 1) % 4, truth)
    answers = Answers(np.repeat(np.arange(120), 5), np.tile(np.arange(5), 120), np.stack(columns, 1).ravel(), 120, 5, 4)
    found = copies(answers, aggregate(answers))
    assert found[0].first == 3
    assert found[0].second == 4
    assert found[0].n_shared == 120
    assert found[0].chance < 1e-10
