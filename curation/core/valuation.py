"""What each labeled record is worth to a nearest-neighbour classifier: exact KNN-Shapley values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray

NEIGHBOURS: Final = 5
_BLOCK: Final = 1 << 24
"""Distances held at once: 64 MB."""
_MOST_ROWS: Final = 1 << 31
_FOLDS: Final = 5


@dataclass(frozen=True, eq=False)
class Values:
    """Values of all records, shape (n,), and the utility of all together, which they sum to: nothing is worth 0."""

    values: FloatArray
    whole: float


def knn_shapley(
    X: Float32Array, y: IntArray, X_valid: Float32Array, y_valid: IntArray, *, n_neighbours: int = NEIGHBOURS
) -> Values:
    """Return what each labeled record is worth to a nearest-neighbour classifier, exactly.

    The utility of a set of records is the mean, over the validation records, of the share of the ``n_neighbours``
    nearest records that have the validation record's label; neighbours that are missing count as wrong.

    Parameters
    ----------
    X, y
        Scaled features, shape (n, d), and classes, shape (n,), of the records to value.
    X_valid, y_valid
        Those of the records to judge by, shapes (m, d) and (m,); none of them may be among the first.
    n_neighbours
        Neighbours that vote, >= 1; default 5, as in the source.

    Returns
    -------
    Values
        In accuracy: the values sum to the utility of all records, in [0, 1]. Below 0: the utility is higher without.

    Raises
    ------
    ValueError
        When shapes differ, a side is empty, features are not finite, or n_neighbours is below 1.

    Notes
    -----
    O(m n (d + log n)) time, O(n) memory: a block of distances of at most 64 MB (one row, where a row is longer) and
    some arrays of n. Distances are float32, sums float64. Of records equally far off the earlier is the nearer; shuffle
    them where their order may mean something. Deterministic.

    References
    ----------
    Jia et al. (2019), Efficient Task-Specific Data Valuation for Nearest Neighbor Algorithms, theorem 1. Here the
    recursion is summed: with c_r = min(K, r) / (K r), a record of rank r is worth c_r if its label is right, less the
    sum of c_(j-1) - c_j over the right ones of rank j > r.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0]], dtype=np.float32)
    >>> knn_shapley(X, np.array([0, 1]), X[:1], np.array([0]), n_neighbours=1).values.tolist()
    [1.0, 0.0]
    """
    norms = _checked(X, y, X_valid, y_valid, n_neighbours)
    n = len(X)
    worth, lost = _weights(n, n_neighbours)
    places, keys = np.arange(n, dtype=np.uint64) << np.uint64(1), np.empty(n, np.uint64)
    values, right, later, whole = np.zeros(n), np.empty(n), np.empty(n), 0.0
    step = max(1, _BLOCK // n)
    for start in range(0, len(X_valid), step):
        distances = _distances(X_valid[start : start + step], X, norms)  # (b, n)
        for row, label in zip(distances, y_valid[start : start + step].tolist(), strict=True):
            order = _ranked(row, places, y == label, keys, right)
            whole += float(right[:n_neighbours].sum()) / n_neighbours
            np.multiply(right, lost, out=later)
            np.cumsum(later[::-1], out=later[::-1])  # what the right ones from each rank on take
            right *= worth
            right[:-1] -= later[1:]
            values[order] += right
    return Values(values / len(X_valid), whole / len(X_valid))


def cross_valued(
    X: Float32Array,
    y: IntArray,
    *,
    rng: np.random.Generator,
    n_neighbours: int = NEIGHBOURS,
    most_judges: int = 1000,
    told: Callable[[str], None] = lambda words: None,
) -> FloatArray:
    """Return a value for every labeled record, shape (n,), each judged by records other than itself.

    Parameters
    ----------
    X, y
        Scaled features, shape (n, d), and classes, shape (n,), of at least 5 records.
    rng
        Draws the folds.
    n_neighbours
        As in :func:`knn_shapley`.
    most_judges
        Records that judge at most, all five folds together, >= 5; default 1,000.
    told
        Hears of each fold as it begins.

    Returns
    -------
    FloatArray
        Mean KNN-Shapley value over the four folds that did not hold the record, in accuracy.

    Raises
    ------
    ValueError
        With fewer than five records or judges, or where features and labels do not fit.

    Notes
    -----
    Five times :func:`knn_shapley` with a fifth of the judges each, and a copy of four fifths of X.
    """
    if len(y) < _FOLDS or most_judges < _FOLDS:
        raise ValueError(f"need {_FOLDS} records and judges, got {len(y)} and {most_judges}")
    order, values = rng.permutation(len(y)), np.zeros(len(y))
    fold = np.arange(len(y)) % _FOLDS
    for number in range(_FOLDS):
        told(f"Valuing: fold {number + 1} of {_FOLDS}")
        train, valid = order[fold != number], order[fold == number][: most_judges // _FOLDS]
        values[train] += knn_shapley(X[train], y[train], X[valid], y[valid], n_neighbours=n_neighbours).values
    return values / (_FOLDS - 1)


def _checked(X: Float32Array, y: IntArray, X_valid: Float32Array, y_valid: IntArray, n_neighbours: int) -> Float32Array:
    """Return the squared norms of X, shape (n,), or raise ValueError where something does not fit."""
    if len(X) != len(y) or len(X_valid) != len(y_valid):
        raise ValueError(f"lengths differ: {len(X)} and {len(X_valid)} rows, {len(y)} and {len(y_valid)} labels")
    if not 0 < len(X) < _MOST_ROWS or not len(X_valid):
        raise ValueError(f"need records to value and records to judge by, got {len(X)} and {len(X_valid)}")
    if X.ndim != 2 or X_valid.ndim != 2 or X.shape[1] != X_valid.shape[1]:
        raise ValueError(f"features must have shapes (n, d) and (m, d), got {X.shape} and {X_valid.shape}")
    if n_neighbours < 1:
        raise ValueError(f"n_neighbours must be at least 1, got {n_neighbours}")
    norms = [np.einsum("ij,ij->i", rows, rows, dtype=np.float32) for rows in (X, X_valid)]
    for given in norms:
        if not np.isfinite(given).all():
            bad = int(np.argmin(np.isfinite(given)))
            raise ValueError(f"features must be finite and scaled; row {bad} of {len(given)} is not")
    return norms[0]


def _weights(n: int, n_neighbours: int) -> tuple[FloatArray, FloatArray]:
    """Return what a right record is worth at each rank, and what it takes from each nearer one; shape (n,) each."""
    rank = np.arange(1, n + 1, dtype=np.float64)
    worth = np.minimum(1.0, n_neighbours / rank) / n_neighbours
    return worth, -np.diff(worth, prepend=worth[0])


def _distances(block: Float32Array, X: Float32Array, norms: Float32Array) -> Float32Array:
    """Return squared distances, shape (len(block), len(X)), none below +0."""
    distances = (-2 * block) @ X.T  # (b, n)
    distances += norms
    distances += np.einsum("ij,ij->i", block, block)[:, None]
    np.maximum(distances, 0.0, out=distances)
    return np.abs(distances, out=distances)  # -0 would sort last by its bits


def _ranked(
    distances: Float32Array,
    places: npt.NDArray[np.uint64],
    is_right: BoolArray,
    keys: npt.NDArray[np.uint64],
    right: FloatArray,
) -> IntArray:
    """Return the rows by distance, ties by place, and write 1 into `right` at the ranks of right ones; all shape (n,).

    Distance, place and answer share one whole number: sorting those is several times as fast as an argsort. `keys` is
    room for them, and holds what is returned.
    """
    keys[:] = distances.view(np.uint32)
    keys <<= np.uint64(32)
    keys |= places
    keys |= is_right
    keys.sort()
    right[:] = keys & np.uint64(1)
    keys &= np.uint64(0xFFFFFFFF)
    keys >>= np.uint64(1)
    return keys.view(np.int64)
