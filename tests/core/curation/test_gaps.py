"""Regions left without labels are found; where labels were drawn at random, none is."""

import numpy as np
import pytest

from curation.core import gaps
from curation.core.arrays import Asked
from curation.core.problem import Problem

SEEDS = 20


def labels(rows, rejected=()):
    asked = np.concatenate([rows, rejected]).astype(np.int64)
    return Asked(asked, np.where(np.arange(len(asked)) < len(rows), 0, -1), np.ones(len(asked)))


def find(X, asked, group=None, seed=0):
    group = np.arange(len(X)) if group is None else group
    return gaps.find(X.astype(np.float32), asked, group, np.random.default_rng(seed))


def blobs(rng, n=2000, d=8, k=8):
    y = rng.choice(k, n)
    return (rng.normal(size=(k, d)) * 3)[y] + rng.normal(size=(n, d)), y


def disc(rng, X, share):
    """Which rows lie nearest to some point in the middle."""
    away = ((X - (rng.random(X.shape[1]) / 2 + 0.25)) ** 2).sum(axis=1)
    return away <= np.quantile(away, share)


def overlap(rows, planted):
    """Return the share of the planted rows that were found, and that of the found ones that are planted."""
    return planted[rows].sum() / planted.sum(), planted[rows].mean()


def test_a_disc_without_labels_is_found_in_even_records():
    found, overlaps = 0, []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        X = rng.random((2000, 2))
        planted = disc(rng, X, 0.1)
        regions = find(X, labels(rng.choice(np.flatnonzero(~planted), 200, replace=False)), seed=seed)
        found += len(regions) == 1
        overlaps += [overlap(one.rows, planted) for one in regions[:1]]
    assert found >= 19
    assert (np.mean(overlaps, axis=0) > 0.75).all()


def test_a_cluster_without_labels_is_found_whole():
    found = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        X, y = blobs(rng)
        regions = find(X, labels(rng.choice(np.flatnonzero(y != 0), 100, replace=False)), seed=seed)
        found += bool(regions) and min(overlap(regions[0].rows, y == 0)) > 0.95
    assert found >= 19


@pytest.mark.parametrize(("n", "d", "n_labels"), [(1000, 2, 100), (2000, 2, 200), (400, 1, 60), (1000, 8, 150)])
def test_labels_drawn_at_random_from_even_records_leave_no_region(n, d, n_labels):
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        assert find(rng.random((n, d)), labels(rng.choice(n, n_labels, replace=False)), seed=seed) == []


def test_labels_drawn_at_random_from_clusters_leave_no_region():
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        X, _ = blobs(rng, n=800)
        assert find(X, labels(rng.choice(800, 100, replace=False)), seed=seed) == []


def test_what_is_told_of_a_region():
    rng = np.random.default_rng(0)
    X, y = blobs(rng)
    asked = labels(rng.choice(np.flatnonzero(y != 0), 99, replace=False), np.flatnonzero(y == 0)[:11])
    (region,) = find(X, asked)
    assert (region.n_labeled, region.n_answered, region.n_rejected, region.rejected_ratio) == (0, 11, 11, 1.0)
    assert region.expected == pytest.approx(99 * len(region.rows) / len(X))
    assert len(region.shown) == 6
    assert np.isin(region.shown, region.rows).all()
    assert region.distance > 1.5


def test_a_cluster_nobody_can_label_is_one_object_before_labels_are_missing_from_it():
    rng = np.random.default_rng(1)
    X, y = blobs(rng)
    rejected = np.flatnonzero(y == 3)[:8]
    (region,) = find(X, labels(rng.choice(np.flatnonzero(y != 3), 30, replace=False), rejected))
    assert min(overlap(region.rows, y == 3)) > 0.95
    assert region.rejected_ratio == 1.0


def test_the_largest_region_comes_first():
    rng = np.random.default_rng(2)
    X, y = blobs(rng)
    regions = find(X, labels(rng.choice(np.flatnonzero(y > 1), 200, replace=False)))
    assert len(regions) == 2
    assert len(regions[0].rows) >= len(regions[1].rows)


@pytest.mark.parametrize("seed", range(5))
def test_copies_of_labeled_records_need_no_label(seed):
    rng = np.random.default_rng(seed)
    X = rng.random((600, 2))
    group = np.concatenate([np.arange(600), np.repeat(np.arange(60), 10)])
    X = np.concatenate([X, X[group[600:]]])
    one_each = rng.choice(600, 150, replace=False)
    assert find(X, labels(one_each), group) == []
    any_copy = rng.choice(1200, 150, replace=False)
    assert find(X, labels(any_copy), group) == []


def test_large_pools_are_compared_by_a_sample():
    rng = np.random.default_rng(3)
    X, y = blobs(rng, n=9000)
    regions = find(X, labels(rng.choice(np.flatnonzero(y != 0), 3000, replace=False)))
    assert min(overlap(regions[0].rows, y == 0)) > 0.9
    assert find(X, labels(rng.choice(9000, 3000, replace=False))) == []


def test_rows_left_out_have_no_say_and_rows_are_those_of_the_problem():
    rng = np.random.default_rng(4)
    X, y = blobs(rng)
    asked = labels(rng.choice(np.flatnonzero(y != 0), 150, replace=False), np.flatnonzero(y == 0)[:2])
    problem = Problem(X.astype(np.float32), asked, 2, seed=1)
    (region,) = gaps.of_problem(problem, without=range(0, 2000, 2))
    assert (region.rows % 2 == 1).all()
    assert (y[region.rows] == 0).mean() > 0.95
    assert np.isin(region.shown, region.rows).all()


@pytest.mark.parametrize(
    "asked",
    [Asked.nothing(), labels([0]), labels([], [0, 1]), labels(range(50)), labels(range(49))],
    ids=["nothing", "one", "rejected only", "all", "all but one"],
)
@pytest.mark.parametrize("X", [np.zeros((50, 2)), np.random.default_rng(0).normal(size=(50, 3))])
def test_too_little_to_say_anything(X, asked):
    assert find(X, asked) == []


def test_one_record():
    assert find(np.zeros((1, 2)), Asked.nothing()) == []
    assert find(np.zeros((1, 2)), labels([0])) == []


def test_the_same_seed_finds_the_same():
    rng = np.random.default_rng(5)
    X = rng.random((1000, 2))
    asked = labels(rng.choice(np.flatnonzero(~disc(rng, X, 0.2)), 150, replace=False))
    first, second = find(X, asked), find(X, asked)
    assert [one.rows.tolist() for one in first] == [one.rows.tolist() for one in second]
    assert first
