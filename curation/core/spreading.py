"""What annotators could and could not label, spread along the pool's neighbourhoods: near records share their fate.

A random walk from a record along its nearest neighbours ends at the asked ones it meets, or gets lost on the way; the
shares that end at labeled and at rejected ones are evidence for and against it. That reaches further along curved
clusters, and less far across gaps, than any kernel of one width.

References
----------
Zhu, Ghahramani, Lafferty (2003), Semi-Supervised Learning Using Gaussian Fields and Harmonic Functions.
Zelnik-Manor, Perona (2005), Self-Tuning Spectral Clustering (the width of each edge).
"""

from typing import Any

import numpy as np
from scipy import sparse

from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray, squared_distances

N_NEIGHBOURS = 10
_WIDTH_NEIGHBOUR = 6
_LEAK = 0.05
"""Chance to be lost at a record, against edges that weigh 1 between records as near as their sixth neighbours."""
_PRIOR_WEIGHT = 0.03
"""Weight of the prior, as a share of the evidence that the usual record has."""
_SAMPLE = 4096
_BLOCK = 4096
_PRECISION = 1e-4
_MAX_STEPS = 300


def neighbourhood(X: Float32Array, rng: np.random.Generator) -> Any:
    """Return how near records are to each other as a symmetric sparse matrix, shape (n, n), about 10 edges a row.

    In pools above 4,096 rows neighbours are sought among as many drawn at random: O(4,096 n d) time, in blocks.
    """
    n = len(X)
    marks = np.sort(rng.choice(n, size=min(_SAMPLE, n), replace=False))
    k = min(N_NEIGHBOURS, len(marks) - 1)
    if k < 1:
        return sparse.csr_array((n, n))
    near, distance = np.empty((n, k), dtype=np.int64), np.empty((n, k))
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        block = squared_distances(X[rows], X[marks])
        block[rows[:, None] == marks[None, :]] = np.inf  # nobody is a neighbour of itself
        first = np.argpartition(block, k - 1, axis=1)[:, :k]
        found = np.take_along_axis(block, first, axis=1)
        order = np.argsort(found, axis=1, kind="stable")
        near[rows] = marks[np.take_along_axis(first, order, axis=1)]
        distance[rows] = np.take_along_axis(found, order, axis=1)
    width = np.sqrt(np.maximum(distance[:, min(_WIDTH_NEIGHBOUR, k) - 1], 1e-18))  # (n,)
    weights = np.exp(-distance / (width[:, None] * width[near]))
    graph = sparse.csr_array((weights.ravel(), (np.repeat(np.arange(n), k), near.ravel())), shape=(n, n))
    return graph.maximum(graph.T).tocsr()


def spread(graph: Any, asked: IntArray, could: BoolArray, prior: FloatArray) -> FloatArray:
    """Return P(labelable) of each record, shape (n,), from the answers that walks from it end at, and its prior.

    Parameters
    ----------
    graph
        From :func:`neighbourhood`.
    asked
        Rows asked, shape (a,), a >= 1.
    could
        Which of them could be labeled, shape (a,).
    prior
        P(labelable) of each row as far as is known without, shape (n,).
    """
    n = graph.shape[0]
    ends = np.zeros(n)
    ends[asked] = 1.0
    stays = sparse.diags_array(graph.sum(axis=1) + ends + _LEAK)
    system = (stays - graph).tocsr()
    usual = sparse.diags_array(1 / system.diagonal())

    def ending_at(rows: IntArray) -> FloatArray:
        target = np.zeros(n)
        target[rows] = 1.0
        shares, _ = sparse.linalg.cg(system, target, rtol=_PRECISION, maxiter=_MAX_STEPS, M=usual)
        return np.maximum(shares, 1e-12)

    for_it, against = ending_at(asked[could]), ending_at(asked[~could])
    weight = _PRIOR_WEIGHT * float(np.median(for_it + against))
    return np.asarray((for_it + weight * prior) / (for_it + against + weight))
