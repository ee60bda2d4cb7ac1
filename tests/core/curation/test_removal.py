"""Removal curves: planted wrong labels are shown harmful, plenty is shown useless, and little data shows nothing."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from curation.core import removal
from curation.core.arrays import Scaler
from curation.core.removal import FRACTIONS, Order, Runs


def blobs(n, seed=0, distance=4.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    X = (rng.standard_normal((n, 8)) + distance * np.eye(8)[y]).astype(np.float32)
    return Scaler.of(X)(X), y


@pytest.fixture(scope="module")
def noisy():
    """Digits of whose labels 30 % are wrong."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(1)
    wrong = rng.random(len(y)) < 0.3
    y[wrong] = (y[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    return removal.measure(Scaler.of(X.astype(np.float32))(X.astype(np.float32)), y, 10, n_splits=10, seed=0)


@pytest.fixture(scope="module")
def easy():
    return removal.measure(*blobs(1200), 3, n_splits=10, seed=0)


def test_of_three_in_ten_wrong_labels_harm_is_shown(noisy):
    found = removal.harmful(noisy)
    assert found.is_shown
    assert found.low <= 0.3 <= found.high
    assert 0.15 <= found.share <= 0.45
    at = FRACTIONS.index(found.share)
    assert noisy.change(Order.WORST, at).low > 0
    assert noisy.against_random(Order.WORST, at).low > 0
    assert noisy.change(Order.BEST, at).high < 0


def test_plenty_of_easy_data_is_mostly_useless_and_not_harmful(easy):
    assert not removal.harmful(easy).is_shown
    for order in (Order.WORST, Order.RANDOM):
        found = removal.useless(easy, order=order)
        assert found.is_shown
        assert found.low >= 0.5
        assert found.low <= found.share <= found.high


@pytest.mark.parametrize("distance", [4.0, 1.5])
def test_little_data_shows_nothing_even_where_every_split_agrees(distance):
    runs = removal.measure(*blobs(60, distance=distance), 3, n_splits=10, seed=0)
    assert not removal.harmful(runs).is_shown
    assert not removal.useless(runs).is_shown
    assert not removal.useless(runs, order=Order.RANDOM).is_shown


def test_labels_that_are_noise_are_not_called_harmful():
    rng = np.random.default_rng(0)
    for seed in range(3):
        X = rng.standard_normal((150, 5)).astype(np.float32)
        runs = removal.measure(X, rng.integers(0, 2, 150), 2, n_splits=6, seed=seed)
        assert not removal.harmful(runs).is_shown


def runs_of(change, sd=0.0005, n_test=2000, n=20):
    """Runs whose mean change by removing the worst is given, fraction by fraction."""
    rng = np.random.default_rng(0)
    whole = 0.8 + 0.01 * rng.standard_normal(n)
    noise = sd * rng.standard_normal((n, len(FRACTIONS)))
    scores = whole[:, None] + np.array(change) + noise
    same = whole[:, None] + 0 * noise
    return Runs(whole, {Order.WORST: scores, Order.RANDOM: same, Order.BEST: same}, 6000, 2000, n_test)


RISES = [0.01, 0.02, 0.03, 0.04, 0.05, 0.05, 0.05, 0.048, 0.046, 0.03, 0.0, -0.2]


def test_useless_labels_are_counted_from_where_the_harmful_ones_end():
    runs = runs_of(RISES)
    wrong, rest = removal.harmful(runs), removal.useless(runs)
    assert wrong.is_shown
    assert wrong.share == pytest.approx(0.2, abs=0.051)  # all of the gain but a point, on the grid of fractions
    assert rest.is_shown
    assert wrong.share + rest.share == pytest.approx(0.6)
    assert removal.useless(runs, order=Order.RANDOM).share == 0.9


def test_what_cannot_be_told_is_not_shown_though_the_mean_says_so():
    runs = runs_of(RISES, sd=0.15)
    assert not removal.harmful(runs).is_shown
    assert not removal.useless(runs).is_shown


def test_the_wider_margin_calls_more_useless(easy):
    assert removal.useless(easy, 0.1).low >= removal.useless(easy, 0.01).low
    with pytest.raises(ValueError, match="the margin must be above 0, got 0"):
        removal.useless(easy, 0.0)


def test_intervals_know_that_splits_share_records():
    runs = runs_of(RISES)
    values = np.random.default_rng(0).normal(size=20)
    found = runs.interval(values)
    naive = 2.093 * values.std(ddof=1) / np.sqrt(20)
    assert (found.high - found.low) / 2 > 2 * naive
    assert found.mean == pytest.approx(values.mean())
    agreed = runs.interval(np.zeros(20))
    assert agreed.low < 0 < agreed.high


def test_the_parts_of_a_split_share_nothing_and_every_class_is_in_each():
    y = np.repeat([0, 1, 2], [50, 30, 20])
    train, valid, test = removal._split(y, np.random.default_rng(0))
    assert sorted([*train, *valid, *test]) == list(range(100))
    assert (len(train), len(valid), len(test)) == (60, 20, 20)
    for part in (train, valid, test):
        assert set(y[part]) == {0, 1, 2}


def test_the_same_seed_gives_the_same_runs():
    X, y = blobs(60)
    one, two, other = (removal.measure(X, y, 3, n_splits=5, seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(one.scores[order], two.scores[order]) for order in Order)
    assert not np.array_equal(one.scores[Order.WORST], other.scores[Order.WORST])


def test_what_cannot_be_measured_is_named():
    X, y = blobs(60)
    with pytest.raises(ValueError, match="39 records are labeled; removal curves need 40"):
        removal.measure(X[:39], y[:39], 3, n_splits=5, seed=0)
    with pytest.raises(ValueError, match="all 60 labels are of one class"):
        removal.measure(X, 0 * y, 3, n_splits=5, seed=0)
    with pytest.raises(ValueError, match="4 splits were asked for; an interval needs 5"):
        removal.measure(X, y, 3, n_splits=4, seed=0)
