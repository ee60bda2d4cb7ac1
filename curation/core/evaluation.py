"""How good a model is, with an interval."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from curation.core.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of right answers with its 95 % Wilson interval, and the share by true class (None when absent)."""

    accuracy: float
    low: float
    high: float
    by_class: list[float | None]


def accuracy(proba: FloatArray, y: IntArray) -> Accuracy:
    """Measure the most probable class against the truth.

    Parameters
    ----------
    proba
        Class probabilities, shape (n, n_classes), n >= 1. Ties go to the lower class.
    y
        True class indices, shape (n,).

    Raises
    ------
    ValueError
        When lengths differ or there is nothing to measure.

    Examples
    --------
    >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0])).accuracy
    0.5
    """
    if len(proba) != len(y) or len(y) == 0:
        raise ValueError(f"{len(proba)} predictions for {len(y)} labels")
    right = proba.argmax(axis=1) == y  # (n,)
    low, high = wilson(int(right.sum()), len(y))
    shares = [float(right[y == c].mean()) if np.any(y == c) else None for c in range(proba.shape[1])]
    return Accuracy(float(right.mean()), low, high, shares)


def wilson(n_right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share.

    References
    ----------
    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(8, 10)]
    [0.49, 0.943]
    """
    z = float(special.ndtri((1 + level) / 2))
    share = n_right / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return centre - half, centre + half
