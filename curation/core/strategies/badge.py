"""Gradients that are large and differ: k-means++ over what a label would do to the model.

References
----------
Ash et al. (2020), Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds (BADGE).
"""

import numpy as np

from curation.core.arrays import BoolArray, FloatArray
from curation.core.problem import Problem
from curation.core.strategies.registry import Scored, register


@register(
    "badge",
    needs_model=True,
    why="Its label would move the model much and otherwise than the other picks' ({score:.2f})",
)
def badge(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Draw by k-means++ in the space of gradients; a gradient is the product of two vectors and never written out.

    Notes
    -----
    With g_i = a_i (x) z_i, the squared distance is |a_i|^2 |z_i|^2 + |a_j|^2 |z_j|^2 - 2 (a_i.a_j)(z_i.z_j):
    O(n (d + k)) time a pick and O(n) memory beside the inputs, instead of the (n, d k) array.
    """
    proba = problem.proba
    a = proba.copy()
    a[np.arange(len(a)), proba.argmax(axis=1)] -= 1  # (n, k)
    z = np.column_stack([problem.scaled, np.full(len(a), 1.0 / np.sqrt(problem.scaled.shape[1]), dtype=np.float32)])
    norm = (a * a).sum(axis=1) * (z * z).sum(axis=1).astype(np.float64)  # (n,)
    free = allowed.copy()
    nearest = norm.copy()
    rows: list[int] = []
    gains: list[float] = []
    while len(rows) < n_picks and free.any():
        row = _draw(np.where(free, nearest, 0.0), free, is_first=not rows, rng=rng)
        rows.append(row)
        gains.append(float(np.sqrt(max(nearest[row], 0.0))))
        distance = norm + norm[row] - 2 * (a @ a[row]) * (z @ z[row])
        nearest = np.maximum(distance, 0.0) if len(rows) == 1 else np.clip(distance, 0.0, nearest)
        free &= problem.group != problem.group[row]
    return Scored(np.array(rows, dtype=np.int64), np.array(gains))


def _draw(weights: FloatArray, free: BoolArray, *, is_first: bool, rng: np.random.Generator) -> int:
    """Return the longest gradient first, later ones by squared distance; any free row if all are 0."""
    total = weights.sum()
    if total <= 0:
        return int(rng.choice(np.flatnonzero(free)))
    return int(weights.argmax()) if is_first else int(rng.choice(len(weights), p=weights / total))
