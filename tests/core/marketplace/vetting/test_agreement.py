"""Agreement statistics against hand-worked values and their own limits."""

import numpy as np
import pytest

from marketplace.core import agreement
from marketplace.core.aggregation import Answers
from tests.core.marketplace.vetting.crowds import crowd

both = pytest.mark.parametrize("statistic", [agreement.krippendorff_alpha, agreement.fleiss_kappa])


@both
def test_perfect_and_random_crowds(statistic):
    perfect = crowd(np.random.default_rng(0), accuracy=(1.0, 1.0))[0]
    assert statistic(perfect).value == pytest.approx(1)
    guessed = statistic(crowd(np.random.default_rng(0), n_tasks=1000, accuracy=(1 / 3, 1 / 3))[0])
    assert guessed.low < 0 < guessed.high
    assert abs(guessed.value) < 0.03


@both
def test_one_class_and_no_overlap(statistic):
    assert statistic(Answers([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0], 2, 2, 2)).value == 1
    lone = statistic(Answers([0, 1], [0, 1], [0, 1], 2, 2, 2))
    assert np.isnan(lone.value)
    assert lone.n_records == 0


def test_alpha_of_a_published_kind_of_table():
    first = [1, 2, 3, 3, 2, 1, 4, 1, 2]  # worked by hand: coincidence matrix of two coders, nine units
    second = [1, 2, 3, 3, 2, 2, 4, 1, 2]
    task = np.repeat(np.arange(9), 2)
    answers = Answers(task, np.tile([0, 1], 9), np.stack([first, second], 1).ravel(), 9, 2, 5)
    expected_disagreement = (18**2 - (5**2 + 7**2 + 4**2 + 2**2)) / 17
    assert agreement.krippendorff_alpha(answers).value == pytest.approx(1 - 2 / expected_disagreement)


def test_cohen_against_its_formula():
    table = np.array([[20, 5], [10, 15]])
    first = np.repeat([0, 0, 1, 1], table.ravel())
    second = np.repeat([0, 1, 0, 1], table.ravel())
    result = agreement.cohen_kappa(first, second, 2)
    assert result.value == pytest.approx((0.7 - 0.5) / 0.5)
    assert result.low < 0.4 < result.high
    assert result.high - result.low == pytest.approx(2 * 1.677 * 0.128, rel=0.1)  # textbook standard error .128


def test_cohen_refuses_what_does_not_match():
    with pytest.raises(ValueError, match="shapes differ"):
        agreement.cohen_kappa([0], [0, 1], 2)
    with pytest.raises(ValueError, match=r"within 0..1"):
        agreement.cohen_kappa([0], [2], 2)


def test_intervals_cover():
    covered = 0
    for seed in range(40):
        result = agreement.krippendorff_alpha(crowd(np.random.default_rng(seed), accuracy=(0.8, 0.8))[0])
        truth = 1 - (1 - 0.8**2 - 0.2**2 / 2) / (2 / 3)
        covered += result.low <= truth <= result.high
    assert covered >= 30
