"""Reviews drawn by uncertainty estimate the accuracy of all without bias, and the interval covers it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.reviewing import draw, estimate, inclusion


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(1, 80))
def test_chances_are_chances_and_sum_to_what_was_asked(unsure, n):
    chance = inclusion(np.array(unsure), n)
    assert np.all((chance > 0) & (chance <= 1 + 1e-12))
    assert chance.sum() == pytest.approx(min(n, len(unsure)))


def test_each_record_is_drawn_with_its_chance_and_the_number_is_fixed():
    rng = np.random.default_rng(0)
    chance = inclusion(rng.beta(1, 6, 40), 12)
    drawn = [draw(chance, rng) for _ in range(6000)]
    assert {len(one) for one in drawn} == {12}
    share = np.bincount(np.concatenate(drawn), minlength=40) / 6000
    assert np.abs(share - chance).max() < 4 * np.sqrt(0.25 / 6000)


@pytest.mark.parametrize(("n_records", "n"), [(300, 40), (2000, 60), (2000, 200)])
@pytest.mark.parametrize("error", [0.02, 0.1, 0.3])
def test_the_estimate_is_unbiased_and_the_interval_covers(n_records, n, error):
    """Confidence is informative but wrong in level: the estimate must not believe it."""
    rng = np.random.default_rng(7)
    unsure = rng.beta(0.6, 6.0, n_records)
    odds = unsure * rng.uniform(0.5, 1.5, n_records)
    right = (rng.random(n_records) >= np.minimum(odds * error / odds.mean(), 0.95)).astype(float)
    chance = inclusion(unsure, n)
    found = []
    for _ in range(600):
        chosen = draw(chance, rng)
        found.append(estimate(right[chosen], chance[chosen], n_records))
    truth = right.mean()
    means = np.array([one.mean for one in found])
    assert abs(means.mean() - truth) < 4 * means.std() / np.sqrt(600) + 1 / n
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.88


def test_reviewing_by_uncertainty_tells_more_than_reviewing_evenly():
    rng = np.random.default_rng(3)
    unsure = rng.beta(0.5, 8, 1000)
    right = (rng.random(1000) >= unsure).astype(float)
    spread = []
    for even in (0.3, 1.0):
        chance = inclusion(unsure, 100, even_share=even)
        means = [estimate(right[d], chance[d], 1000).mean for d in (draw(chance, rng) for _ in range(400))]
        spread.append(np.std(means))
    assert spread[0] < 0.9 * spread[1]


def test_reviewing_everything_leaves_no_doubt():
    found = estimate(np.array([1.0, 0.0, 1.0, 1.0]), np.ones(4), 4)
    assert (found.mean, found.low, found.high) == (0.75, 0.75, 0.75)


BAD = [([], [], 3), ([1.0], [0.0], 3), ([1.0], [1.5], 3), ([1.0] * 4, [0.5] * 4, 3)]


@pytest.mark.parametrize(("right", "chance", "n"), BAD)
def test_what_makes_no_sense_is_refused(right, chance, n):
    with pytest.raises(ValueError, match="got"):
        estimate(np.array(right), np.array(chance), n)
