"""Steps that several strategies share: the best of a score, one per group, and distances in blocks."""

import numpy as np

from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray, squared_distances
from curation.core.strategies.registry import Scored

BLOCK = 8192
MAX_SAMPLE = 4096


def top(utilities: FloatArray, allowed: BoolArray, group: IntArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Return the allowed rows of highest utility, one per near-duplicate group; ties are broken at random."""
    rows = np.flatnonzero(allowed)
    order = rng.permutation(rows)
    ranked = order[np.argsort(-utilities[order], kind="stable")]
    _, first = np.unique(group[ranked], return_index=True)
    chosen = ranked[np.sort(first)][:n_picks]
    return Scored(chosen, np.asarray(utilities[chosen], dtype=np.float64))


def nearest_squared(X: Float32Array, others: Float32Array) -> Float32Array:
    """Return the squared distance of each row to the nearest of the others, shape (n,); infinite without any."""
    nearest = np.full(len(X), np.inf, dtype=np.float32)
    for start in range(0, len(X), BLOCK):
        for first in range(0, len(others), 1024):
            block = squared_distances(X[start : start + BLOCK], others[first : first + 1024]).min(axis=1)
            np.minimum(nearest[start : start + BLOCK], block, out=nearest[start : start + BLOCK])
    return nearest


def sample(X: Float32Array, size: int, rng: np.random.Generator) -> IntArray:
    """Return at most ``size`` rows drawn uniformly, sorted."""
    return np.arange(len(X)) if len(X) <= size else np.sort(rng.choice(len(X), size, replace=False))
