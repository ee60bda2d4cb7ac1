"""Classes that the anchor lacks are named; where it covers all, or does not steer, nothing is."""

import numpy as np
import pytest

from curation.core import uncovered
from curation.core.arrays import Asked
from curation.core.problem import Problem

K, PER_CLASS = 4, 60


def pool(seed, *, n_foreign=600):
    """Four classes in twelve dimensions among foreign rows: half the pool and more."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(K + 3, 12)) * 3
    y = np.concatenate([np.repeat(np.arange(K), PER_CLASS), rng.integers(K, K + 3, n_foreign)])
    return (centres[y] + rng.normal(size=(len(y), 12))).astype(np.float32), np.where(y < K, y, -1), centres, rng


def problem(seed, *, lacks=None, with_labels=False, n_asked=240, n_foreign=600):
    X, y, centres, rng = pool(seed, n_foreign=n_foreign)
    classes = np.array([c for c in range(K) if c != lacks])[np.arange(100) % (K - (lacks is not None))]
    anchor = (centres[classes] + rng.normal(size=(100, 12))).astype(np.float32)
    inside = rng.permutation(np.flatnonzero(y >= 0))[: n_asked // 2]
    rows = np.concatenate([inside, rng.permutation(np.flatnonzero(y < 0))[: n_asked - len(inside)]])
    asked = Asked(rows, y[rows], np.ones(len(rows)))
    return Problem(X, asked, K, anchor, classes if with_labels else None, seed=seed)


@pytest.mark.parametrize("with_labels", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_a_class_the_anchor_lacks_is_named(seed, with_labels):
    found = uncovered.find(problem(seed, lacks=seed % K, with_labels=with_labels))
    assert [one.label for one in found] == [seed % K]
    assert found[0].words.endswith(".")


@pytest.mark.parametrize("with_labels", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_an_anchor_that_covers_all_raises_no_alarm(seed, with_labels):
    assert uncovered.find(problem(seed, with_labels=with_labels)) == []


def test_without_an_anchor_that_steers_nothing_is_said():
    clean = problem(1, lacks=1, n_foreign=20, n_asked=30)
    assert clean.prior is not None
    assert clean.prior.in_scope >= 0.5
    assert uncovered.find(clean) == []
    bare = problem(1)
    assert uncovered.find(Problem(bare.X, bare.asked, K)) == []


def test_before_there_are_labels_only_labeled_anchors_tell():
    assert uncovered.find(problem(2, lacks=0, n_asked=2)) == []
    assert [one.label for one in uncovered.find(problem(2, lacks=0, n_asked=2, with_labels=True))] == [0]
