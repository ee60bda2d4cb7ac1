"""Without a label the pool's variety is covered, and what is there many times is bought once."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from curation.core import selection
from curation.core.arrays import Asked
from curation.core.problem import Problem


def pick(X, n, seed=0, known=None, n_classes=2, **more):
    problem = Problem(X, known or Asked.nothing(), n_classes, seed=seed)
    return problem, [
        p.row for p in selection.select(problem, name="auto", n_picks=n, control_ratio=0.0, seed=seed, **more)
    ]


def long_tail(seed, n=2000, n_clusters=300, d=16):
    """Records of 300 clusters, of which the first holds a quarter and the last hardly one."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, n_clusters + 1) ** 1.2
    cluster = rng.choice(n_clusters, n, p=share / share.sum())
    centres = rng.normal(size=(n_clusters, d)) * 1.5
    return (centres[cluster] + rng.normal(size=(n, d)) * 0.5).astype(np.float32), cluster


@pytest.mark.parametrize("seed", range(5))
def test_without_a_label_a_tenth_covers_far_more_clusters_than_a_random_tenth(seed):
    X, cluster = long_tail(seed)
    _, rows = pick(X, 200, seed)
    rng = np.random.default_rng(seed)
    at_random = np.mean([len(np.unique(cluster[rng.permutation(len(X))[:200]])) for _ in range(20)])
    assert len(np.unique(cluster[rows])) >= 1.3 * at_random


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_rounds", [1, 5])
def test_records_that_are_there_ten_times_are_hardly_ever_bought_twice(seed, n_rounds):
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    own = rng.permutation(len(X))[:400]
    source = np.concatenate([own, np.repeat(own[:60], 9)])  # sixty records ten times, 340 once
    pool = (X[source] + rng.normal(size=(len(source), 64)) * 0.05).astype(np.float32)
    known = Asked.nothing()
    for _ in range(n_rounds):
        _, rows = pick(pool, 40, seed, known, 10)
        asked = np.concatenate([known.rows, rows]).astype(np.int64)
        known = Asked(asked, y[source[asked]].astype(np.int64), np.ones(len(asked)))
    n_again = len(known.rows) - len(np.unique(source[known.rows]))
    assert n_again <= 0.05 * len(known.rows)


def test_copies_moved_by_a_pixel_are_records_of_their_own():
    X = load_digits().images[:300]
    moved = np.roll(X, 1, axis=2)
    pool = np.concatenate([X, X, moved]).reshape(900, -1).astype(np.float32)
    problem, _ = pick(pool, 1)
    group = problem.group
    assert (group[:300] == group[300:600]).all()
    assert np.mean(~np.isin(group[600:], group[:600])) >= 0.5
