"""The proxy model and its label cleaning."""

import warnings

import numpy as np
import pytest

from curation.core import heads, proxy


def blobs(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    centres = rng.normal(size=(4, 6)) * 2
    return ((centres[y] + rng.normal(size=(n, 6)) * 0.6) / 6).astype(np.float32), y.astype(np.int64)


def test_cleaning_finds_planted_wrong_labels():
    X, y = blobs()
    given = y.copy()
    wrong = np.random.default_rng(1).choice(200, 20, replace=False)
    given[wrong] = (given[wrong] + 1) % 4
    flagged = proxy.suspicious(X, given, np.ones(200), 4)
    found = flagged[wrong].mean()
    assert found >= 0.9
    assert wrong.size * found / flagged.sum() >= 0.8


def test_clean_labels_are_left_alone():
    X, y = blobs()
    assert proxy.suspicious(X, y, np.ones(200), 4).mean() <= 0.02


def test_a_class_never_loses_more_than_two_fifths_of_its_labels():
    X, y = blobs(80)
    given = y.copy()
    given[y == 0] = 1
    given[y == 1] = 0
    flagged = proxy.suspicious(X, given, np.ones(80), 4)
    for label in range(4):
        assert flagged[given == label].sum() <= 0.4 * (given == label).sum()


@pytest.mark.parametrize("labels", [[], [2], [2, 2, 2]])
def test_few_labels_give_a_model_without_a_fit(labels):
    X = np.zeros((len(labels), 3), np.float32)
    model = proxy.fit(X, np.array(labels, dtype=np.int64), np.ones(len(labels)), 4)
    proba = model.proba(np.zeros((2, 3), np.float32))
    assert proba.sum(axis=1) == pytest.approx([1, 1])
    assert proba[0, 2] == (1.0 if labels else 0.25)


def test_weight_zero_is_as_if_it_were_not_there():
    X, y = blobs(40)
    weights = np.ones(40)
    weights[:10] = 0
    wrong = y.copy()
    wrong[:10] = 0
    one = proxy.fit(X, wrong, weights, 4).proba(X)
    other = proxy.fit(X[10:], y[10:], np.ones(30), 4).proba(X)
    assert one == pytest.approx(other)


def test_labels_of_nearly_as_many_classes_are_learnt_without_a_warning():
    rng = np.random.default_rng(0)
    y, weights = np.arange(40) % 30, rng.uniform(0.5, 1, 40)
    X = (rng.normal(size=(30, 8))[y] + rng.normal(scale=0.02, size=(40, 8))).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        straight, curved = proxy.fit(X, y, weights, 30), heads._curved(X, y, weights, 30)
    four_times = proxy.fit(np.tile(X, (4, 1)), np.tile(y, 4), np.tile(weights / 4, 4), 30)
    assert straight.proba(X) == pytest.approx(four_times.proba(X), abs=0.01)
    assert all((model.proba(X).argmax(axis=1) == y).mean() > 0.9 for model in (straight, curved))
