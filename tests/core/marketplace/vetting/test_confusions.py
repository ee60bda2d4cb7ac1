"""Ambiguous guidelines show as confused pairs of classes; slips and spammers do not."""

import numpy as np
import pytest

from marketplace.core.confusions import change_p_value, confused_pairs


def answers(rng, n=1200, n_classes=6, n_annotators=10, error=0.1, planted=0.0):
    """Answers whose slips are even; classes 1 and 4 are given for one another with a further chance."""
    truth = rng.integers(0, n_classes, n)
    who = rng.integers(0, n_annotators, n)
    given = np.where(rng.random(n) < error, (truth + rng.integers(1, n_classes, n)) % n_classes, truth)
    twin = np.select([truth == 1, truth == 4], [4, 1], given)
    return truth, np.where(rng.random(n) < planted, twin, given), who


def test_a_planted_ambiguity_is_found_and_comes_first():
    for seed in range(20):
        pair, *others = confused_pairs(*answers(np.random.default_rng(seed), planted=0.15), 6)
        assert (pair.first, pair.second) == (1, 4)
        assert pair.observed > 2 * pair.expected
        assert len(others) <= 1


def test_even_slips_name_nothing_more_often_than_promised():
    named = [bool(confused_pairs(*answers(np.random.default_rng(seed)), 6)) for seed in range(300)]
    assert np.mean(named) <= 0.07


def test_spammers_tell_nothing_of_the_guideline():
    rng = np.random.default_rng(2)
    truth, given, who = answers(rng, error=0.02)
    spam = who < 3
    given = np.where(spam, np.where(truth == 1, 4, rng.integers(0, 6, len(truth))), given)
    assert confused_pairs(truth, given, who, 6) == []


@pytest.mark.parametrize("n_classes", [1, 2])
def test_two_classes_or_no_answers_name_no_pair(n_classes):
    assert confused_pairs(*answers(np.random.default_rng(0), n_classes=max(n_classes, 2)), n_classes) == []
    nothing = np.zeros(0, dtype=np.int64)
    assert confused_pairs(nothing, nothing, nothing, 5) == []


def test_better_instructions_show_as_a_change():
    assert change_p_value(30, 100, 5, 100) < 1e-4
    assert change_p_value(5, 100, 6, 100) > 0.5
    with pytest.raises(ValueError, match="got 3 of 2"):
        change_p_value(3, 2, 0, 0)
