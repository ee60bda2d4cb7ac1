"""The proxy model: softmax regression on the customer's features, with weighted and cleaned labels."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import ThreadpoolController

from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray

INVERSE_PENALTY = 30.0
_CLEANING_PENALTY = 3.0
_MAX_ITERATIONS = 300
N_FOLDS = 5
MIN_TO_CLEAN = 40
_MAX_DROPPED_OF_CLASS = 0.4
_LOOKED_AT_RATIO = 0.1
_TIMES_AS_PROBABLE = 3.0
_TAKEN_FOR_A_REGRESSION = 20
"""Labels above which scikit-learn wonders whether labels of more classes than half their number are meant as such."""


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted proxy: a classifier of scikit-learn, None before two classes; unseen classes get probability 0."""

    estimator: Any
    seen: IntArray
    n_classes: int

    def proba(self, X: Float32Array) -> FloatArray:
        """Return class probabilities, shape (n, n_classes); rows sum to 1."""
        result = np.zeros((len(X), self.n_classes))
        if self.estimator is None:
            result[:, self.seen] = 1.0 / len(self.seen) if len(self.seen) else 0.0
            if not len(self.seen):
                result[:] = 1.0 / self.n_classes
            return result
        result[:, self.seen] = self.estimator.predict_proba(X)
        return result


def fit(
    X: Float32Array, y: IntArray, weights: FloatArray, n_classes: int, *, inverse_penalty: float = INVERSE_PENALTY
) -> Model:
    """Fit a softmax regression with per-record weights.

    Parameters
    ----------
    X
        Scaled features, shape (n, d).
    y
        Class indices in [0, n_classes), shape (n,).
    weights
        Trust in each label, shape (n,), >= 0; rows of weight 0 are left out.
    n_classes
        Classes of the schema, seen or not.
    inverse_penalty
        C of the L2 penalty on scaled features. Default 30: the reference setting of the selection benchmarks.

    Returns
    -------
    Model
        Without any label it is uniform; with one class only it is certain of it.

    Raises
    ------
    ValueError
        When lengths differ or a label is outside the classes.

    Notes
    -----
    Deterministic. O(n d n_classes) per L-BFGS step.
    """
    if not len(X) == len(y) == len(weights):
        raise ValueError(f"lengths differ: {len(X)} rows, {len(y)} labels, {len(weights)} weights")
    if len(y) and (y.min() < 0 or y.max() >= n_classes):
        raise ValueError(f"labels run from {y.min()} to {y.max()}, the classes from 0 to {n_classes - 1}")
    used = weights > 0
    seen = np.unique(y[used]).astype(np.int64)
    if len(seen) < 2:
        return Model(None, seen, n_classes)
    estimator = LogisticRegression(C=inverse_penalty, max_iter=_MAX_ITERATIONS, tol=1e-3)
    return Model(fitted(estimator, X[used], y[used], weights[used]), seen, n_classes)


def fitted(estimator: LogisticRegression, X: Float32Array, y: IntArray, weights: FloatArray) -> LogisticRegression:
    """Fit an estimator. Where nearly each label is of another class, each counts as two of half the weight.

    That is the same problem, and none that scikit-learn takes for a regression. One thread does it: the matrices are
    small, and threads that wait for each other at every step take many times as long where other work keeps them off.
    """
    if len(y) > _TAKEN_FOR_A_REGRESSION and len(np.unique(y)) > len(y) // 2:
        X, y, weights = np.repeat(X, 2, axis=0), np.repeat(y, 2), np.repeat(weights / 2, 2)
    with _threads().limit(limits=1):
        return estimator.fit(X, y, sample_weight=weights)


@functools.cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def out_of_fold(X: Float32Array, y: IntArray, weights: FloatArray, n_classes: int) -> FloatArray:
    """Return what models fitted without a label's fold (every fifth in order) say of it, shape (n, n_classes)."""
    proba = np.zeros((len(y), n_classes))
    fold = np.arange(len(y)) % N_FOLDS
    for number in range(N_FOLDS):
        out = fold == number
        model = fit(X[~out], y[~out], weights[~out], n_classes, inverse_penalty=_CLEANING_PENALTY)
        proba[out] = model.proba(X[out])
    return proba


def doubted(X: Float32Array, y: IntArray, weights: FloatArray, n_classes: int) -> IntArray:
    """Return the places of the labels worth a second look, worst first; none below 40 labels.

    Those are the tenth that models fitted without them believe in least, as far as another class is at least three
    times as probable. What to leave out of training is :func:`suspicious`.
    """
    if len(y) < MIN_TO_CLEAN:
        return np.zeros(0, dtype=np.int64)
    proba = out_of_fold(X, y, weights, n_classes)
    own = proba[np.arange(len(y)), y]
    worst = np.argsort(own, kind="stable")[: int(_LOOKED_AT_RATIO * len(y))]
    return np.asarray(worst[proba[worst].max(axis=1) > _TIMES_AS_PROBABLE * own[worst]])


def suspicious(X: Float32Array, y: IntArray, weights: FloatArray, n_classes: int) -> BoolArray:
    """Return which labels out-of-fold models confidently contradict, shape (n,).

    Notes
    -----
    Five folds by arrival order. A label is suspicious when another class gets at least the mean self-confidence of
    that class's records and more than the given one. At most 40 % of a class is ever named. Below 40 labels nothing is.

    References
    ----------
    Northcutt, Jiang, Chuang (2021), Confident Learning: Estimating Uncertainty in Dataset Labels.
    """
    flagged = np.zeros(len(y), dtype=np.bool_)
    if len(y) < MIN_TO_CLEAN:
        return flagged
    proba = out_of_fold(X, y, weights, n_classes)
    own = proba[np.arange(len(y)), y]  # (n,)
    counts = np.bincount(y, minlength=n_classes)
    usual = np.bincount(y, own, minlength=n_classes) / np.maximum(counts, 1)
    usual[counts == 0] = np.inf
    rivals = np.where(proba >= usual, proba, 0.0)  # (n, n_classes)
    rivals[np.arange(len(y)), y] = 0.0
    margin = rivals.max(axis=1) - own
    for label in np.unique(y):
        members = np.flatnonzero((y == label) & (margin > 0))
        most = int(_MAX_DROPPED_OF_CLASS * counts[label])
        flagged[members[np.argsort(-margin[members], kind="stable")][:most]] = True
    return flagged


def fit_cleaned(X: Float32Array, y: IntArray, weights: FloatArray, n_classes: int) -> tuple[Model, BoolArray]:
    """Fit on all labels but the suspicious ones; return the model and which labels were left out."""
    dropped = suspicious(X, y, weights, n_classes)
    return fit(X[~dropped], y[~dropped], weights[~dropped], n_classes), dropped


def margin_uncertainty(proba: FloatArray) -> FloatArray:
    """Return 1 - (p1 - p2), shape (n,), in [0, 1]: 1 where the two best classes tie.

    >>> margin_uncertainty(np.array([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    if proba.shape[1] < 2:
        return np.zeros(len(proba))
    best = np.partition(proba, -2, axis=1)[:, -2:]  # (n, 2)
    return np.asarray(1 - (best[:, 1] - best[:, 0]))
