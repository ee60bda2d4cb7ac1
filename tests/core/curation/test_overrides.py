"""Human choices against the machine's: intervals hold their level, drift is found and not invented."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.core import overrides

COUNTS = st.lists(st.integers(0, 40), min_size=2, max_size=6)


@pytest.mark.parametrize(("n_usable", "n_back"), [(-1, 3), (4, 3)])
def test_counts_that_cannot_be_are_refused(n_usable, n_back):
    with pytest.raises(ValueError, match="need 0 <= n_usable <= n_back"):
        overrides.label_yield(n_usable, n_back)


def test_shapes_draws_and_negative_counts_are_checked():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="same classes"):
        overrides.drift(np.array([1, 2]), np.array([1, 2, 3]), rng=rng)
    with pytest.raises(ValueError, match="at least one draw"):
        overrides.drift(np.array([1, 2]), np.array([1, 2]), rng=rng, n_draws=0)
    with pytest.raises(ValueError, match="no negative count"):
        overrides.drift(np.array([1, -2]), np.array([1, 2]), rng=rng)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_drift_is_a_distance_with_a_chance_the_same_both_ways(data):
    one = np.array(data.draw(COUNTS))
    two = np.array(data.draw(st.lists(st.integers(0, 40), min_size=len(one), max_size=len(one))))
    found = overrides.drift(one, two, rng=np.random.default_rng(1), n_draws=50)
    assert (found is None) == (one.sum() == 0 or two.sum() == 0)
    if found is not None:
        assert 0 <= found.distance <= 1
        assert 1 / 51 <= found.p_value <= 1
        back = overrides.drift(two, one, rng=np.random.default_rng(1), n_draws=50)
        assert back.distance == pytest.approx(found.distance)
        assert overrides.drift(one, two, rng=np.random.default_rng(1), n_draws=50) == found


def test_the_chance_is_that_of_shuffled_labels():
    """The counts' hypergeometric draw tells what shuffling the labels themselves tells."""
    one, two = np.array([9, 3, 2]), np.array([10, 12, 9])
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1, 2, 0, 1, 2], [*one, *two])
    observed = np.abs(one / one.sum() - two / two.sum()).sum() / 2
    n_as_large = 0
    for _ in range(4000):
        shuffled = rng.permutation(labels)
        here, there = (np.bincount(part, minlength=3) for part in np.split(shuffled, [one.sum()]))
        n_as_large += np.abs(here / here.sum() - there / there.sum()).sum() / 2 >= observed - 1e-12
    found = overrides.drift(one, two, rng=rng, n_draws=4000)
    assert found.p_value == pytest.approx(n_as_large / 4000, abs=0.03)


def test_without_drift_it_is_seldom_reported_and_with_drift_nearly_always():
    rng = np.random.default_rng(3)
    same, other = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])

    def share_found(mix):
        pairs = [(rng.multinomial(40, same), rng.multinomial(60, mix)) for _ in range(300)]
        return np.mean([overrides.drift(*pair, rng=rng, n_draws=300).p_value < 0.05 for pair in pairs])

    assert share_found(same) <= 0.08  # .05 and three standard errors
    assert share_found(other) > 0.95


def test_the_interval_of_a_difference_holds_its_level():
    rng = np.random.default_rng(4)
    n_covered = 0
    for _ in range(1000):
        one, two = overrides.label_yield(rng.binomial(25, 0.8), 25), overrides.label_yield(rng.binomial(60, 0.9), 60)
        _, low, high = overrides.difference(one, two)
        n_covered += low <= -0.1 <= high
    assert n_covered / 1000 == pytest.approx(0.95, abs=0.025)


def test_a_comparison_says_in_words_what_differs():
    rng = np.random.default_rng(5)
    worse = overrides.compare(np.array([0, 12]), 30, np.array([60, 30]), 92, rng=rng)
    assert worse.high < 0
    assert worse.words.startswith("Fewer usable labels: -58 points (95 %: -7")
    assert "other classes came back (total variation 0.67, p = 0.001)" in worse.words
    alike = overrides.compare(np.array([6, 3]), 10, np.array([60, 30]), 100, rng=rng)
    assert alike.words.startswith("No clear difference in usable labels: +0 points")
    assert "no clear difference in classes" in alike.words
    unusable = overrides.compare(np.array([0, 0]), 3, np.array([60, 30]), 100, rng=rng)
    assert unusable.drift is None
    assert unusable.words.endswith(").")
    assert overrides.compare(np.array([0, 0]), 0, np.array([6, 3]), 10, rng=rng) is None
