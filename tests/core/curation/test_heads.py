"""The head of the proxy model is chosen by what it predicts of labels held out."""

import numpy as np
import pytest

from curation.core import heads, proxy
from curation.core.heads import Head


def rings(n, seed=0, noise=0.0):
    """Two classes, one around the other: no straight line tells them apart."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 2).astype(np.int64)
    angle, radius = rng.uniform(0, 2 * np.pi, n), 1 + y + rng.normal(scale=0.15, size=n)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]).astype(np.float32)
    wrong = rng.random(n) < noise
    return X, np.where(wrong, 1 - y, y)


def halves(n, d=20, seed=0):
    """Two classes on either side of a plane in many dimensions."""
    X = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32) / np.sqrt(d)
    return X.astype(np.float32), (X[:, 0] > 0).astype(np.int64)


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_curved_borders_are_found_wrong_labels_or_not(noise):
    X, y = rings(200, noise=noise)
    model, head = heads.fit_best(X, y, np.ones(200), 2)
    Z, truth = rings(1000, seed=1)
    assert head == Head.CURVED
    assert (model.proba(Z).argmax(axis=1) == truth).mean() > 0.93
    straight = proxy.fit_cleaned(X, y, np.ones(200), 2)[0]
    assert (straight.proba(Z).argmax(axis=1) == truth).mean() < 0.7


def test_straight_borders_stay_straight():
    X, y = halves(300)
    model, head = heads.fit_best(X, y, np.ones(300), 2)
    Z, truth = halves(1000, seed=1)
    assert head == Head.LINEAR
    assert (model.proba(Z).argmax(axis=1) == truth).mean() > 0.9


@pytest.mark.parametrize("labels", [[], [1], [1] * 50, [0, 1] * 10])
def test_too_few_labels_or_classes_give_the_linear_one(labels):
    X = np.random.default_rng(0).normal(size=(len(labels), 3)).astype(np.float32)
    y = np.array(labels, dtype=np.int64)
    model, head = heads.fit_best(X, y, np.ones(len(y)), 3)
    assert head == Head.LINEAR
    assert model.proba(np.zeros((2, 3), np.float32)).sum(axis=1) == pytest.approx([1, 1])


def test_labels_of_weight_zero_copies_and_constant_features_do_no_harm():
    X, y = rings(120)
    weights = np.where(np.arange(120) < 60, 1.0, 0.0)
    one, _ = heads.fit_best(X, y, weights, 2)
    other, _ = heads.fit_best(X[:60], y[:60], np.ones(60), 2)
    assert np.allclose(one.proba(X), other.proba(X), atol=1e-6)
    same = np.zeros((80, 4), np.float32)
    proba = heads.fit_best(same, np.arange(80) % 2, np.ones(80), 2)[0].proba(same)
    assert np.isfinite(proba).all()
    assert proba.sum(axis=1) == pytest.approx(np.ones(80))


def test_the_same_labels_give_the_same_model():
    X, y = rings(150)
    first, second = (heads.fit_best(X, y, np.ones(150), 2)[0].proba(X) for _ in range(2))
    assert np.array_equal(first, second)
