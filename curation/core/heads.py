"""The proxy model whose accuracy is told: borders straight or curved, whichever cross-validation finds to fit better.

What to ask next is chosen by the straight one: `curation.core.proxy`.
"""

from enum import StrEnum
from typing import Final

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from curation.core import proxy
from curation.core.arrays import Float32Array, FloatArray, IntArray, squared_distances

MIN_TO_CHOOSE: Final = 40
"""Labels below which borders are straight."""
_MOST_LANDMARKS, _SAMPLE = 300, 1000
_INVERSE_PENALTY: Final = 10.0
_LEAST_PROBABILITY: Final = 0.02
"""No single label can count for more than this: some are wrong."""


class Head(StrEnum):
    """What a proxy model can draw between classes."""

    LINEAR = "linear"
    CURVED = "curved"


def fit_best(X: Float32Array, y: IntArray, weights: FloatArray, n_classes: int) -> tuple[proxy.Model, Head]:
    """Fit on all labels but the suspicious ones with the head that predicts held-out ones better; ties stay linear.

    Parameters
    ----------
    X, y, weights, n_classes
        As in `proxy.fit`.

    Notes
    -----
    Five folds by arrival order, mean log loss by weight, no label's above -log .02. The curved head is a softmax
    regression on at most 300 Nyström features of a Gaussian kernel as wide as the usual distance. O(n m (d + m)) for
    m landmarks; deterministic.

    References
    ----------
    Williams, Seeger (2001), Using the Nyström Method to Speed Up Kernel Machines.
    """
    used = weights > 0
    X, y, weights = X[used], y[used], weights[used]
    kept = ~proxy.suspicious(X, y, weights, n_classes)
    X, y, weights = X[kept], y[kept], weights[kept]
    head = _better(X, y, weights, n_classes)
    return (_curved if head == Head.CURVED else proxy.fit)(X, y, weights, n_classes), head


def _better(X: Float32Array, y: IntArray, weights: FloatArray, n_classes: int) -> Head:
    if len(y) < MIN_TO_CHOOSE or len(np.unique(y)) < 2:
        return Head.LINEAR
    losses = {}
    fold = np.arange(len(y)) % proxy.N_FOLDS
    for head, fit in ((Head.LINEAR, proxy.fit), (Head.CURVED, _curved)):
        own = np.empty(len(y))
        for number in range(proxy.N_FOLDS):
            out = np.flatnonzero(fold == number)
            model = fit(X[fold != number], y[fold != number], weights[fold != number], n_classes)
            own[out] = model.proba(X[out])[np.arange(len(out)), y[out]]
        losses[head] = float(-(weights * np.log(np.maximum(own, _LEAST_PROBABILITY))).sum() / weights.sum())
    return min(losses, key=lambda head: losses[head])


def _curved(X: Float32Array, y: IntArray, weights: FloatArray, n_classes: int) -> proxy.Model:
    seen = np.unique(y).astype(np.int64)
    if len(seen) < 2:
        return proxy.Model(None, seen, n_classes)
    some = X[:: -(-len(X) // _SAMPLE)]
    usual = float(np.median(squared_distances(some, some)[np.triu_indices(len(some), 1)]))
    features = Nystroem(gamma=1 / max(usual, 1e-9), n_components=min(_MOST_LANDMARKS, len(X)), random_state=0).fit(X)
    softmax = LogisticRegression(C=_INVERSE_PENALTY, max_iter=300)
    proxy.fitted(softmax, features.transform(X), y, weights)
    return proxy.Model(Pipeline([("features", features), ("softmax", softmax)]), seen, n_classes)
