"""Uncertain records that stand for many others.

References
----------
Settles, Craven (2008), An Analysis of Active Learning Strategies for Sequence Labeling Tasks (information density).
"""

import numpy as np

from curation.core.arrays import BoolArray, Float32Array, FloatArray, squared_distances
from curation.core.problem import Problem
from curation.core.strategies.picking import BLOCK, MAX_SAMPLE, sample, top
from curation.core.strategies.registry import Scored, register
from curation.core.strategies.uncertain import normalised_entropy


@register(
    "density_weighted",
    needs_model=True,
    why="The model is unsure of it (entropy {entropy:.0%} of all) and many records are like it",
)
def density_weighted(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Entropy times the mean similarity to a sample of the pool."""
    closeness = density(problem.scaled, problem.median_distance, rng)
    return top(normalised_entropy(problem.proba) * closeness, allowed, problem.group, n_picks, rng)


def density(X: Float32Array, median_distance: float, rng: np.random.Generator) -> FloatArray:
    """Return the mean kernel to at most 4,096 rows of the pool, shape (n,), in (0, 1]; in blocks."""
    marks = X[sample(X, MAX_SAMPLE, rng)]
    result = np.empty(len(X))
    for start in range(0, len(X), BLOCK // 8):
        distances = squared_distances(X[start : start + BLOCK // 8], marks)
        result[start : start + BLOCK // 8] = np.exp(-distances / (median_distance / 4)).mean(axis=1)
    return result
