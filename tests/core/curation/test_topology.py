"""Clusters are where they were planted, one where there is one, and the same in any order of the records."""

import time

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score

from curation.core import topology


def clusters(X, seed=0, **more):
    return topology.clusters(np.asarray(X, dtype=np.float32), np.random.default_rng(seed), **more)


def blobs(seed, sizes=(300, 600, 300), spreads=(0.2, 1.0, 3.0)):
    """Three blobs whose densities differ by a factor of hundreds, and which row is of which."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(3), sizes)
    centres = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 16.0]])
    return centres[y] + rng.normal(size=(len(y), 2)) * np.array(spreads)[y, None], y


@pytest.mark.parametrize("seed", range(10))
def test_two_moons_are_two(seed):
    X, y = make_moons(600, noise=0.08, random_state=seed)
    found = clusters(X)
    assert len(found.size) == 2
    assert adjusted_rand_score(y, found.label) > 0.95


@pytest.mark.parametrize("seed", range(10))
def test_three_blobs_of_different_density_are_three(seed):
    X, y = blobs(seed)
    found = clusters(X)
    assert len(found.size) == 3
    assert adjusted_rand_score(y, found.label) > 0.98


@pytest.mark.parametrize("d", [1, 2, 3, 8, 16])
def test_one_even_cluster_is_one(d):
    for seed in range(20):
        rng = np.random.default_rng([seed, d])
        n = [25, 60, 200, 1000][seed % 4]
        assert len(clusters(rng.random((n, d)), seed).size) == 1
        assert len(clusters(rng.normal(size=(n, d)), seed).size) == 1


def test_what_is_told_of_the_clusters_fits_together():
    X, _ = blobs(1)
    found = clusters(X)
    assert found.size.tolist() == sorted(found.size.tolist(), reverse=True)
    assert np.bincount(found.label).tolist() == found.size.tolist()
    assert found.label[found.peak].tolist() == [0, 1, 2]
    for one, peak in enumerate(found.peak):
        assert found.density[peak] == found.density[found.label == one].max()
    assert (found.persistence > 0).all()
    assert found.is_border.mean() < 0.1


def test_the_border_lies_between_the_clusters():
    X, _ = make_moons(600, noise=0.1, random_state=0)
    found = clusters(X)
    assert 0 < found.is_border.sum() < 200
    other = [X[found.label != found.label[row]] for row in range(len(X))]
    gap = np.array([np.linalg.norm(rows - X[row], axis=1).min() for row, rows in enumerate(other)])
    assert gap[found.is_border].mean() < gap[~found.is_border].mean() / 2


def test_a_threshold_of_ones_own_merges_or_splits():
    X, _ = make_moons(600, noise=0.1, random_state=0)
    assert len(clusters(X, persistence=1e9).size) <= 2
    many = [len(clusters(X, persistence=limit).size) for limit in (1e-6, 0.1, 0.5, 3.0)]
    assert many == sorted(many, reverse=True)
    assert many[0] > 5
    assert (clusters(X, persistence=0.5).persistence >= 0.5).all()
    with pytest.raises(ValueError, match="more than 0, got 0"):
        clusters(X, persistence=0)


def test_the_clusters_that_stay_are_the_persistent_peaks():
    near, density, _ = topology.densities(blobs(3)[0].astype(np.float32))
    _, falls = topology.climb(near, density, np.inf)
    for limit in (0.01, 0.1, 0.3, 1.0):
        peak, _ = topology.climb(near, density, limit)
        assert set(peak.tolist()) == {row for row, fall in falls.items() if fall >= limit}


@pytest.mark.parametrize("n", [600, 6000])
def test_the_same_records_in_another_order_fall_into_the_same_clusters(n):
    X, _ = make_moons(n, noise=0.08, random_state=2)
    X[n // 2 :: 3] = X[: len(X[n // 2 :: 3])]  # copies
    order = np.random.default_rng(5).permutation(n)
    assert clusters(X[order]).label.tolist() == clusters(X).label[order].tolist()
    assert clusters(X[order]).size.tolist() == clusters(X).size.tolist()


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((1, 3)),
        np.zeros((50, 3)),
        np.repeat(np.eye(2), 40, axis=0),
        np.random.default_rng(0).normal(size=(4, 2)),
        np.random.default_rng(0).normal(size=(80, 3)) * [1.0, 0.0, 0.0],
    ],
    ids=["one record", "copies only", "two things", "fewer than neighbours", "constant features"],
)
def test_odd_pools_are_one_cluster(X):
    found = clusters(X)
    assert found.size.tolist() == [len(X)]
    assert np.isfinite(found.density).all()


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match="first is row 1"):
        clusters([[0.0], [np.nan]])


def test_time_grows_no_faster_than_the_pool():
    rng = np.random.default_rng(0)
    took = []
    for n in (10_000, 20_000):
        X = rng.normal(size=(n, 16)) + 3 * (np.arange(n) % 3)[:, None]
        start = time.process_time()
        assert clusters(X).size.tolist() == [len(X[k::3]) for k in range(3)]
        took.append(time.process_time() - start)
    assert took[1] < 3 + took[0]
