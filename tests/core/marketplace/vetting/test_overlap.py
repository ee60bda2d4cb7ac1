"""Which records get another answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core import overlap
from marketplace.core.aggregation import Answers

sure, unsure = [0.99, 0.01], [0.6, 0.4]


@pytest.mark.parametrize(
    ("belief", "n_answers", "proven", "needs"),
    [
        (sure, 0, False, True),
        (sure, 0, True, True),
        (sure, 1, False, True),
        (sure, 1, True, False),
        (unsure, 1, True, True),
        (sure, 2, False, False),
        (unsure, 2, False, True),
        (unsure, 5, False, False),
    ],
)
def test_rule(belief, n_answers, proven, needs):
    asked = overlap.needs_another(np.array([belief]), [n_answers], has_proven_answer=[proven])
    assert asked.tolist() == [needs]


def test_target_falls_with_every_answer_in_dispute():
    belief = np.tile([0.88, 0.12], (3, 1))
    assert overlap.needs_another(belief, [2, 3, 4]).tolist() == [True, True, False]
    assert overlap.needs_another(belief, [2, 3, 4], patience=0).all()


def test_minimum_below_two_does_not_make_lone_answers_confident():
    assert overlap.needs_another(np.array([sure]), [1], min_answers=1).all()


def test_calibration_slice_gets_the_maximum():
    in_slice = overlap.calibration_slice(1000, np.random.default_rng(0), share=0.1)
    assert in_slice.sum() == 100
    least = np.where(in_slice, 5, 2)
    asked = overlap.needs_another(np.tile(sure, (1000, 1)), np.full(1000, 3), min_answers=least)
    np.testing.assert_array_equal(asked, in_slice)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_proof_needs_enough_gold(hits, wrong):
    if wrong > hits:
        with pytest.raises(ValueError, match=r"within 0..gold_hits"):
            overlap.is_proven([hits], [hits + 1])
        return
    proven = overlap.is_proven([hits], [hits - wrong], floor=0.9)[0]
    assert not (proven and hits < 28)
    assert not (proven and wrong > 0.1 * hits)


def test_answers_of_proven_annotators_are_found():
    answers = Answers([0, 1, 1], [0, 0, 1], [0, 0, 0], 3, 2, 2)
    assert overlap.answered_by_proven(answers, [False, True]).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"target_confidence": 1.0},
        {"patience": -0.1},
        {"min_answers": 6},
        {"max_answers": 0, "min_answers": 0},
        {"n_answers": [1, 2]},
    ],
)
def test_impossible_rules_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must be|need|records"):
        overlap.needs_another(np.array([sure]), **({"n_answers": [1]} | wrong))


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.34, 0.99))
def test_gain_is_never_negative_and_best_where_belief_is_even(belief, accuracy):
    confusion = np.array([[accuracy, 1 - accuracy], [1 - accuracy, accuracy]])
    gain = overlap.expected_gain(np.array([[belief, 1 - belief], [0.5, 0.5]]), confusion)
    assert (gain >= 0).all()
    assert gain[1] >= gain[0] - 1e-12


def test_cost_matrix_moves_the_gain():
    confusion = np.array([[0.8, 0.2], [0.2, 0.8]])
    belief = np.array([[0.8, 0.2]])
    even = overlap.expected_gain(belief, confusion)
    grave = overlap.expected_gain(belief, confusion, np.array([[0.0, 1.0], [10.0, 0.0]]))
    assert even[0] < 0.01 < grave[0]


def test_order_is_by_gain_per_price_within_the_budget():
    needs, gain = np.array([True, True, False, True]), np.array([0.1, 0.3, 0.9, 0.2])
    assert overlap.order(needs, gain, 1.0).tolist() == [1, 3, 0]
    assert overlap.order(needs, gain, [1.0, 10.0, 1.0, 1.0], budget=2.0).tolist() == [3, 0]
    with pytest.raises(ValueError, match="positive"):
        overlap.order(needs, gain, 0.0)


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.55, 0.99))
def test_value_looks_further_than_one_answer_and_scales(belief, accuracy):
    confusion = np.array([[accuracy, 1 - accuracy], [1 - accuracy, accuracy]])
    posterior = np.array([[belief, 1 - belief], [0.5, 0.5]])
    near = overlap.value_of_next_answer(posterior, confusion, 0.5, horizon=1)
    far = overlap.value_of_next_answer(posterior, confusion, 0.5, horizon=3)
    assert (far >= near - 1e-12).all()
    np.testing.assert_allclose(near, overlap.expected_gain(posterior, confusion) / 0.5)
    dearer = overlap.value_of_next_answer(posterior, confusion, [1.0, 0.25], record_value=[3.0, 1.0], horizon=3)
    np.testing.assert_allclose(dearer, far * np.array([1.5, 2.0]), rtol=1e-9)


def test_value_of_several_answers_by_enumeration():
    confusion = np.array([[0.7, 0.2, 0.1], [0.15, 0.8, 0.05], [0.3, 0.1, 0.6]])
    belief = np.array([[0.75, 0.2, 0.05]])
    best = 0.0
    for first in range(3):
        for second in range(3):
            best += (belief[0] * confusion[:, first] * confusion[:, second]).max()
    expected = max((best - 0.75) / 2, overlap.expected_gain(belief, confusion)[0])
    assert overlap.value_of_next_answer(belief, confusion, 1.0, horizon=2)[0] == pytest.approx(expected)


def test_two_answers_may_be_worth_what_one_is_not():
    fair = np.array([[0.8, 0.2], [0.2, 0.8]])
    belief = np.array([[0.85, 0.15]])
    assert overlap.value_of_next_answer(belief, fair, 0.1, horizon=1)[0] == pytest.approx(0, abs=1e-9)
    assert overlap.value_of_next_answer(belief, fair, 0.1, horizon=2)[0] > 0.1


@pytest.mark.parametrize(
    "wrong", [{"price": 0.0}, {"record_value": -1.0}, {"horizon": 0}, {"horizon": 6}, {"confusion": np.eye(3)}]
)
def test_impossible_values_are_refused(wrong):
    given = {"posterior": np.array([sure]), "confusion": np.eye(2), "price": 1.0} | wrong
    with pytest.raises(ValueError, match=r"need prices|horizon must|must be"):
        overlap.value_of_next_answer(**given)
