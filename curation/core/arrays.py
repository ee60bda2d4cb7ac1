"""Arrays the core works on, checked once at the door."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
_CLIP = 8.0
_EVEN_RATIO = 0.25
"""Participation ratio of the variances over the number of features, from which on they are of one unit (measured: raw
tables with units of their own .06 to .17, embeddings, pixels and principal components .29 to 1)."""
_CENTRED = 0.1
_TIMES_QUARTILES = 30.0
"""Distance from the median, in distances of the quartiles, beyond which a value is far off."""
_TIMES_CHANCE = 2.0
_LOOKED_AT = 2000, 256
"""Rows and features that tell whether the features are uncorrelated."""
_BLOCK = 512
SUM_TOLERANCE = 5e-3
"""How far a row of probabilities may be off one: float16, or rounding to three places of ten classes, no more."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What has been asked for so far and what came back.

    Attributes
    ----------
    rows
        Pool rows asked, shape (a,), each once.
    labels
        Class index, or -1 for "cannot be labeled", shape (a,).
    weights
        How far the label is to be trusted (posterior confidence), shape (a,), in [0, 1]; 0 = no answer came back.
    """

    rows: IntArray
    labels: IntArray
    weights: FloatArray

    def __post_init__(self) -> None:
        if not len(self.rows) == len(self.labels) == len(self.weights):
            raise ValueError(
                f"lengths differ: {len(self.rows)} rows, {len(self.labels)} labels, {len(self.weights)} weights"
            )
        if len(np.unique(self.rows)) < len(self.rows):
            raise ValueError(f"{len(self.rows)} rows were asked, only {len(np.unique(self.rows))} of them different")
        if np.any((self.weights < 0) | (self.weights > 1)):
            raise ValueError(f"weights must lie in [0, 1], got {self.weights.min()} to {self.weights.max()}")

    @classmethod
    def nothing(cls) -> "Asked":
        """Return the state before the first answer."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    @property
    def is_labeled(self) -> BoolArray:
        """Whether a class came back, shape (a,)."""
        return np.asarray(self.labels >= 0)

    @property
    def answered(self) -> "Asked":
        """Only what an answer came back for: a record nobody answered says nothing about whether it can be labeled."""
        came_back = self.weights > 0  # (a,)
        return Asked(self.rows[came_back], self.labels[came_back], self.weights[came_back])


@dataclass(frozen=True, eq=False)
class Scaler:
    """Scale learnt on the pool; squared norms are then about 1 on average.

    Features in units of their own are standardised one by one. Where all share a unit (embeddings, pixels, scores of
    principal components), their relative variances say what matters, and one scale serves them all. Rows that are far
    off in most features have no say.

    Attributes
    ----------
    mean
        Shape (d,).
    spread
        What each feature is divided by, shape (d,): its standard deviation, or the same for all.
    limit
        Where each feature is clipped after that, shape (d,): at 8 of its standard deviations.
    """

    mean: Float32Array
    spread: Float32Array
    limit: Float32Array

    @classmethod
    def of(cls, X: Float32Array) -> "Scaler":
        """Learn the scale of a pool (n, d); constant features vanish.

        Raises
        ------
        ValueError
            When the array is empty, not two-dimensional, or not finite.
        """
        check_features(X)
        far = _far_off(X)
        near = X[~far] if 0 < far.sum() < len(X) / 2 else X
        mean, own = near.mean(axis=0, dtype=np.float64), near.std(axis=0, dtype=np.float64)  # (d,)
        live = _varies(own)
        spread = np.where(live, own, 1.0)
        if _share_a_unit(near, mean, own):
            spread = np.full(len(own), np.sqrt(np.mean(own**2)))
        limit = np.where(live, _CLIP * own / spread, 1.0)
        return cls(mean.astype(np.float32), spread.astype(np.float32), limit.astype(np.float32))

    def __call__(self, X: Float32Array) -> Float32Array:
        """Return scaled, clipped features, shape (n, d), float32."""
        if X.shape[1] != len(self.mean):
            raise ValueError(f"{X.shape[1]} features given, the scale was learnt on {len(self.mean)}")
        with np.errstate(over="ignore"):  # what float32 cannot hold is clipped like all that is far off
            scaled = np.clip((X - self.mean) / self.spread, -self.limit, self.limit)  # (n, d)
        return np.asarray(scaled / np.sqrt(X.shape[1]), dtype=np.float32)


def _far_off(X: Float32Array) -> BoolArray:
    """Which rows are far off in most features, shape (n,): a few of them would make all others look the same.

    Features whose quartiles agree say nothing, and one of mostly zeros alone makes no row far off.
    """
    step = _LOOKED_AT[0]
    some = X[:: -(-len(X) // step)].astype(np.float64)
    low, middle, high = np.quantile(some, (0.25, 0.5, 0.75), axis=0)  # (d,) each
    live = np.flatnonzero(high > low)
    if not len(live):
        return np.zeros(len(X), dtype=np.bool_)
    limit = _TIMES_QUARTILES * (high - low)[live]
    blocks = (X[start : start + step][:, live] for start in range(0, len(X), step))
    return np.concatenate([(np.abs(block - middle[live]) > limit).mean(axis=1) > 0.5 for block in blocks])


def _varies(spread: FloatArray) -> BoolArray:
    """Which features vary, shape (d,), by their standard deviations: also where all are measured in a tiny unit."""
    return np.asarray(spread > 1e-9 * min(1.0, float(spread.max())))


def _share_a_unit(X: Float32Array, mean: FloatArray, spread: FloatArray) -> bool:
    """Whether the features are measured in one unit, as far as their variances tell.

    They do when no few features hold nearly all of the variance (its participation ratio), or when the features are
    centred and uncorrelated, as scores of principal components are.
    """
    live = _varies(spread)
    variance = spread[live] ** 2
    if len(variance) < 2:
        return False
    if variance.sum() ** 2 / (variance**2).sum() >= _EVEN_RATIO * len(variance):
        return True
    if np.median(np.abs(mean[live]) / spread[live]) > _CENTRED:
        return False
    n_rows, n_features = _LOOKED_AT
    at = np.flatnonzero(live)[:: -(-len(variance) // n_features)]
    Z = (X[:: -(-len(X) // n_rows)][:, at] - mean[at]) / spread[at]
    correlation = np.abs(Z.T @ Z / len(Z))  # (<= 256, <= 256)
    off = correlation[~np.eye(len(at), dtype=np.bool_)].mean() if len(at) > 1 else 1.0
    return bool(off < _TIMES_CHANCE / np.sqrt(len(Z)))


def check_features(X: npt.NDArray[np.floating]) -> None:
    """Raise ValueError unless X is a finite, non-empty (n, d) array; the message names the first bad row."""
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"features must have shape (n, d) with n, d >= 1, got {X.shape}")
    finite = np.isfinite(X).all(axis=1)  # (n,)
    if not finite.all():
        raise ValueError(f"{int((~finite).sum())} rows hold NaN or infinity, the first is row {int(np.argmin(finite))}")


def check_proba(proba: FloatArray, n: int, n_classes: int) -> None:
    """Raise ValueError unless rows are probabilities of the right shape that sum to one; names the first bad row."""
    if proba.shape != (n, n_classes):
        raise ValueError(f"probabilities must have shape ({n}, {n_classes}), got {proba.shape}")
    good = np.isfinite(proba).all(axis=1) & (proba >= 0).all(axis=1)  # (n,)
    if not good.all():
        row = int(np.argmin(good))
        raise ValueError(
            f"{int((~good).sum())} rows of probabilities are negative or not finite, the first is row {row}"
        )
    sums = proba.sum(axis=1, dtype=np.float64)
    off = np.abs(sums - 1) > SUM_TOLERANCE
    if off.any():
        row = int(np.argmax(off))
        raise ValueError(
            f"{int(off.sum())} rows of probabilities do not sum to one, the first is row {row} with {sums[row]:.4g}"
        )


def check_utility(utility: FloatArray, n: int) -> None:
    """Raise ValueError unless there is one finite number per row."""
    if utility.shape != (n,) or not np.isfinite(utility).all():
        raise ValueError(f"utility must be {n} finite numbers, one per row, got shape {utility.shape}")


def scaled_to_one(values: FloatArray) -> FloatArray:
    """Return values scaled to [0, 1], the lowest to 0; all 0 where they do not differ.

    >>> scaled_to_one(np.array([2.0, 4.0, 3.0])).tolist()
    [0.0, 1.0, 0.5]
    """
    halves = values / 2  # the difference of two large numbers may not be one any more
    low, high = float(halves.min()), float(halves.max())
    return np.asarray((halves - low) / (high - low)) if high > low else np.zeros(len(values))


def squared_distances(A: Float32Array, B: Float32Array) -> Float32Array:
    """Return squared Euclidean distances, shape (len(A), len(B)), float32; O(a b d) time, O(a b) memory."""
    gram = A @ B.T  # (a, b)
    distances = (A * A).sum(axis=1)[:, None] + (B * B).sum(axis=1)[None, :] - 2 * gram
    return np.maximum(distances, 0.0, out=distances)


def nearest_squared(A: Float32Array, B: Float32Array) -> Float32Array:
    """Return the squared distance of each row of A to the nearest of B, shape (len(A),); infinity where B is empty.

    O(a b d) time in blocks that stay in the cache, O(a + b d) memory.
    """
    nearest = np.full(len(A), np.inf, dtype=np.float32)
    if not len(A) or not len(B):
        return nearest
    doubled, norms = np.ascontiguousarray((-2 * B).T), (B * B).sum(axis=1)
    for start in range(0, len(A), _BLOCK):
        block = A[start : start + _BLOCK]
        for first in range(0, len(B), _BLOCK):
            relative = block @ doubled[:, first : first + _BLOCK]
            relative += norms[first : first + _BLOCK]
            np.minimum(nearest[start : start + _BLOCK], relative.min(axis=1), out=nearest[start : start + _BLOCK])
    nearest += (A * A).sum(axis=1)
    return np.maximum(nearest, 0.0, out=nearest)
