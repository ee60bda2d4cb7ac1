"""Greedy herding: each pick covers as much not yet covered, uncertain, relevant mass of the pool as it can."""

from dataclasses import dataclass

import numpy as np

from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray, nearest_squared, squared_distances

MAX_LANDMARKS = 4096
MAX_CANDIDATES = 8192
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class Herd:
    """Rows in the order picked, with the coverage each added (in units of pool weight)."""

    rows: IntArray
    gains: FloatArray


def kernel_width(X: Float32Array, asked: IntArray, median_distance: float) -> float:
    """Return the squared kernel width: the median squared distance from an asked row to its nearest other one.

    It shrinks as labels grow, so that few labels are spread wide and many go into detail. Before two rows are asked:
    a quarter of the pool's median squared distance.
    """
    if len(asked) < 2:
        return median_distance / 4
    A, nearest = X[asked], np.empty(len(asked))
    for start in range(0, len(A), _BLOCK):
        distances = squared_distances(A[start : start + _BLOCK], A)
        own = np.arange(len(distances))
        distances[own, start + own] = np.inf
        nearest[start : start + _BLOCK] = distances.min(axis=1)
    return max(float(np.median(nearest)), 1e-6)


def systematic_sample(weights: FloatArray, size: int, rng: np.random.Generator) -> IntArray:
    """Return rows drawn in proportion to their weights, at even steps from one random start; sorted, unique."""
    total = weights.cumsum()
    if total[-1] <= 0 or size >= len(weights):
        return (
            np.arange(len(weights)) if size >= len(weights) else np.sort(rng.choice(len(weights), size, replace=False))
        )
    steps = (np.arange(size) + rng.random()) * total[-1] / size
    return np.unique(np.searchsorted(total, steps, side="right").clip(0, len(weights) - 1))


def herd(
    X: Float32Array,
    *,
    weights: FloatArray,
    multiplier: FloatArray,
    covered_by: IntArray,
    allowed: BoolArray,
    group: IntArray,
    width: float,
    n_picks: int,
    rng: np.random.Generator,
) -> Herd:
    """Pick rows that maximise ``sum_i weights_i max_s k(i, s)`` step by step.

    Parameters
    ----------
    X
        Scaled pool, shape (n, d).
    weights
        How much each record wants to be covered, shape (n,), >= 0.
    multiplier
        Factor of each candidate's gain, shape (n,), in (0, 1].
    covered_by
        Rows asked before, rejected ones too.
    allowed
        Which rows may be picked, shape (n,).
    group
        Near-duplicate group of each row; of each at most one is picked.
    width
        Squared kernel width of ``k = exp(-D^2 / width)``, > 0.
    n_picks
        How many; fewer come back only when fewer groups are allowed.
    rng
        Draws landmarks and candidates in large pools.

    Returns
    -------
    Herd
        Best first. Ties go to the lower row.

    Notes
    -----
    Lazy greedy (the objective is submodular) on at most 4,096 landmarks x 8,192 candidates: exact for small pools,
    O(landmarks x candidates) time and memory for any pool.

    References
    ----------
    Bae, Sutherland, Noh (2025), Uncertainty Herding; Minoux (1978), Accelerated greedy algorithms.
    """
    free = np.flatnonzero(allowed)
    if len(free) == 0:
        return Herd(free, np.empty(0))
    want = weights[free] + 1e-12
    candidates = free if len(free) <= MAX_CANDIDATES else free[systematic_sample(want, MAX_CANDIDATES, rng)]
    marks: IntArray = np.arange(len(X))
    mark_weights = weights
    if len(X) > MAX_LANDMARKS:
        marks = systematic_sample(weights + 1e-12, MAX_LANDMARKS, rng)
        mark_weights = np.ones(len(marks))
    covered = coverage(X[marks], X[covered_by], width)
    kernel = np.exp(-squared_distances(X[candidates], X[marks]) / width)  # (candidates, landmarks)
    return _greedy(kernel, covered, mark_weights, multiplier[candidates], candidates, group[candidates], n_picks)


def coverage(marks: Float32Array, asked: Float32Array, width: float) -> Float32Array:
    """Return how far each landmark is covered by what was asked, shape (len(marks),), in [0, 1]."""
    return np.asarray(np.exp(-nearest_squared(marks, asked) / width), dtype=np.float32)


def _greedy(
    kernel: Float32Array,
    covered: Float32Array,
    weights: FloatArray,
    multiplier: FloatArray,
    rows: IntArray,
    group: IntArray,
    n_picks: int,
) -> Herd:
    weight = weights.astype(np.float32)
    covered = covered.copy()
    bound = np.empty(len(rows))
    for start in range(0, len(rows), 1024):
        bound[start : start + 1024] = np.maximum(kernel[start : start + 1024] - covered, 0) @ weight
    bound *= multiplier
    fresh = np.zeros(len(rows), dtype=np.int64)
    picked: list[int] = []
    gains: list[float] = []
    while len(picked) < n_picks:
        best = int(bound.argmax())
        if bound[best] == -np.inf:
            break
        if fresh[best] != len(picked):
            bound[best] = multiplier[best] * float(np.maximum(kernel[best] - covered, 0) @ weight)
            fresh[best] = len(picked)
            continue
        picked.append(best)
        gains.append(float(bound[best]))
        np.maximum(covered, kernel[best], out=covered)
        bound[group == group[best]] = -np.inf
    return Herd(rows[picked], np.asarray(gains))
