"""Labels worth a second look: of 8 % wrong ones, the doubted tenth at most holds nearly all, and is mostly wrong."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from curation.core import proxy
from curation.core.arrays import Scaler


def planted(bundled, n, seed):
    """Return so many scaled rows, labels of which 8 % are wrong, which those are, and the number of classes."""
    X, truth = bundled(return_X_y=True)
    X = Scaler.of(X.astype(np.float32))(X.astype(np.float32))
    n_classes, rng = int(truth.max()) + 1, np.random.default_rng(seed)
    rows = rng.permutation(len(truth))[:n]
    wrong = rng.random(len(rows)) < 0.08
    given = np.where(wrong, (truth[rows] + rng.integers(1, n_classes, len(rows))) % n_classes, truth[rows])
    return X[rows], given.astype(np.int64), wrong, n_classes


def looked_at(bundled, n, seeds=5):
    """Return recall and precision of what is doubted, over all seeds."""
    n_found = n_called = n_wrong = 0
    for seed in range(seeds):
        X, y, wrong, n_classes = planted(bundled, n, seed)
        places = proxy.doubted(X, y, np.ones(len(y)), n_classes)
        assert len(places) <= len(y) // 10
        n_found, n_called, n_wrong = n_found + wrong[places].sum(), n_called + len(places), n_wrong + wrong.sum()
    return n_found / n_wrong, n_found / n_called


@pytest.mark.parametrize(("bundled", "recall"), [(load_digits, 0.9), (load_wine, 0.9), (load_breast_cancer, 0.75)])
def test_nearly_all_wrong_labels_are_called_and_nearly_only_those(bundled, recall):
    found = looked_at(bundled, 2000)
    assert found[0] >= recall
    assert found[1] >= 0.85


@pytest.mark.parametrize(("n", "precision"), [(60, 0.4), (100, 0.6), (200, 0.7), (400, 0.8)])
def test_few_labels_tell_less_but_are_not_noise(n, precision):
    recall, found = looked_at(load_digits, n, seeds=10)
    assert found >= precision
    assert recall >= 0.5


def test_fewer_than_forty_labels_raise_no_doubt():
    X, y, _, n_classes = planted(load_wine, 39, 0)
    assert len(proxy.doubted(X, y, np.ones(39), n_classes)) == 0
