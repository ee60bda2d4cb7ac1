"""Arrays the core works on, checked once at the door."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
_CLIP = 8.0
SUM_TOLERANCE = 1e-3
"""How far a row of probabilities may be off one: float16 and rounding to three places, no more."""


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
    """Per-feature standardisation learnt on the pool; squared norms are then about 1 on average."""

    mean: Float32Array
    spread: Float32Array

    @classmethod
    def of(cls, X: Float32Array) -> "Scaler":
        """Learn the scale of a pool (n, d); constant features get spread 1, so they vanish.

        Raises
        ------
        ValueError
            When the array is empty, not two-dimensional, or not finite.
        """
        check_features(X)
        spread = X.std(axis=0, dtype=np.float64)  # (d,)
        spread[spread < 1e-9] = 1.0
        return cls(X.mean(axis=0, dtype=np.float64).astype(np.float32), spread.astype(np.float32))

    def __call__(self, X: Float32Array) -> Float32Array:
        """Return scaled, clipped features, shape (n, d), float32."""
        if X.shape[1] != len(self.mean):
            raise ValueError(f"{X.shape[1]} features given, the scale was learnt on {len(self.mean)}")
        scaled = np.clip((X - self.mean) / self.spread, -_CLIP, _CLIP)  # (n, d)
        return np.asarray(scaled / np.sqrt(X.shape[1]), dtype=np.float32)


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
