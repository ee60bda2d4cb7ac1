"""The shape of a pool: its records fall into clusters, the peaks of their density that stand out from noise.

References
----------
Chazal, Guibas, Oudot, Skraba (2013), Persistence-Based Clustering in Riemannian Manifolds (ToMATo), algorithm 1.
Levina, Bickel (2004), Maximum Likelihood Estimation of Intrinsic Dimension, equation 9.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray, check_features

N_NEIGHBOURS, _SHARE, _LEAST = 30, 1 / 8, 10
"""Neighbours that give a record its density: 30, but of fewer than 240 records an eighth, ten at least."""
SAMPLE = 4096
"""Distinct records whose density is worked out; the others join the cluster of the nearest of them."""
_TIMES_NOISE = 1.3, 1.3
"""Persistence of the peaks that chance makes, in units of sqrt(log n / k): 1.3, and 1.3 over the dimension more."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The clusters of a pool, largest first.

    Attributes
    ----------
    label
        Cluster of each record, shape (n,).
    peak
        The record of highest density of each cluster, shape (c,): it stands for the others.
    persistence
        By how much the logarithm of its density falls on the way to a higher peak, shape (c,); infinite where no way
        leads there.
    size
        Records of each cluster, shape (c,).
    is_border
        Which records have a neighbour in another cluster, shape (n,).
    density
        Logarithm of each record's density, up to a constant, shape (n,).
    """

    label: IntArray
    peak: IntArray
    persistence: FloatArray
    size: IntArray
    is_border: BoolArray
    density: FloatArray


def clusters(X: Float32Array, rng: np.random.Generator, *, persistence: float | None = None) -> Clusters:
    """Return the clusters of a pool: one for each peak of its density that is persistent enough.

    Parameters
    ----------
    X
        Scaled features, shape (n, d), n >= 1.
    rng
        Draws the records whose density is worked out, in pools of more than 4,096 distinct ones.
    persistence
        Least fall of the logarithm of the density between two peaks that are two clusters, > 0; default: more than
        what chance makes of records drawn from one even cluster.

    Raises
    ------
    ValueError
        When the features are not finite or the persistence is not positive.

    Notes
    -----
    O(4,096 n d) time and O(n k) memory for k = 30 neighbours. Equal records count once and rows are put in order
    first, so that the same records in another order fall into the same clusters.

    The logarithm of a density from k neighbours is off by about 1 / sqrt(k), and the highest of n such errors grows
    with sqrt(log n), most in one dimension, where no way leads around a gap. The factors are measured: uniform and
    normal records in 1 to 16 dimensions stay one cluster.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2)) + np.repeat([[0.0], [9.0]], 100, axis=0)
    >>> clusters(X.astype(np.float32), rng).size.tolist()
    [100, 100]
    """
    check_features(X)
    if persistence is not None and not persistence > 0:
        raise ValueError(f"persistence must be more than 0, got {persistence}")
    distinct, first, back = np.unique(X + np.float32(0), axis=0, return_index=True, return_inverse=True)
    marks = np.sort(rng.permutation(len(distinct))[:SAMPLE])
    near, density, by_chance = densities(distinct[marks])  # (s, k), (s,)
    peak_of, falls = climb(near, density, by_chance if persistence is None else persistence)
    at_border = (peak_of[near] != peak_of[:, None]).any(axis=1)  # (s,)
    mark = nearest(distinct, distinct[marks])[back.ravel()]  # (n,): the mark each record goes with
    peaks, label, size = np.unique(peak_of[mark], return_inverse=True, return_counts=True)
    order = np.lexsort((peaks, -size))
    return Clusters(
        label=np.argsort(order)[label].astype(np.int64),
        peak=first[marks[peaks[order]]].astype(np.int64),
        persistence=np.array([falls[peak] for peak in peaks[order].tolist()]),
        size=size[order].astype(np.int64),
        is_border=np.asarray(at_border[mark]),
        density=np.asarray(density[mark]),
    )


def nearest(X: Float32Array, marks: Float32Array) -> IntArray:
    """Return the place of the nearest mark of each row, shape (n,)."""
    return np.asarray(NearestNeighbors(n_neighbors=1).fit(marks).kneighbors(X, return_distance=False)[:, 0])


def densities(X: Float32Array) -> tuple[IntArray, FloatArray, float]:
    """Return neighbours of distinct rows, shape (s, k), logarithms of their densities, shape (s,), and the noise.

    A ball around a record that holds k others has a density of k over its radius to the power of the dimension in
    which the records really spread. The noise is the persistence up to which peaks are made by chance.
    """
    n = len(X)
    k = min(N_NEIGHBOURS, max(round(_SHARE * n), _LEAST), n - 1)
    if k < 1:
        return np.empty((n, 0), dtype=np.int64), np.zeros(n), 1.0
    distance, near = NearestNeighbors(n_neighbors=k).fit(X).kneighbors()  # (s, k): nobody is their own neighbour
    logs = np.log(np.maximum(distance, 1e-12))
    spread = float(np.mean(logs[:, -1:] - logs[:, :-1])) if k > 1 else 1.0
    dimension = float(np.clip(1 / max(spread, 1e-12), 1, X.shape[1]))
    noise = (_TIMES_NOISE[0] + _TIMES_NOISE[1] / dimension) * np.sqrt(np.log(n) / k)
    return near, np.asarray(-dimension * logs[:, -1]), float(noise)


def climb(near: IntArray, density: FloatArray, limit: float) -> tuple[IntArray, dict[int, float]]:
    """Return the peak of each row, shape (s,), where peaks that fall by less than the limit join a higher one.

    Returns
    -------
    peak, persistence
        The row at which each row's way up ends, and by how much the density falls from each such row to the saddle
        to a higher one: infinite for the highest that can be reached.
    """
    rank = np.empty(len(density), dtype=np.int64)
    order = np.argsort(-density, kind="stable")
    rank[order] = np.arange(len(order))
    edges = _higher(near, rank)
    _, falls = _merged(order, edges, density, np.inf)
    parent, _ = _merged(order, edges, density, limit)
    return np.array([_root(parent, row) for row in range(len(density))], dtype=np.int64), falls


def _higher(near: IntArray, rank: IntArray) -> list[list[int]]:
    """Return for each row its neighbours (either way) of higher density, the highest first."""
    source, target = np.repeat(np.arange(len(near)), near.shape[1]), near.ravel()
    is_lower = rank[source] > rank[target]
    low, high = np.where(is_lower, source, target), np.where(is_lower, target, source)
    edges: list[list[int]] = [[] for _ in near]
    for at in np.lexsort((rank[high], low)).tolist():
        edges[low[at]].append(int(high[at]))
    return edges


def _merged(order: IntArray, edges: list[list[int]], density: FloatArray, limit: float) -> tuple[Any, dict[int, float]]:
    """Return what each row hangs on, and the persistence of peaks: every row climbs, then joins what meets in it."""
    parent = list(range(len(edges)))
    falls: dict[int, float] = {}
    for row in order.tolist():
        if not edges[row]:
            falls[row] = np.inf
            continue
        top = parent[row] = _root(parent, edges[row][0])
        for other in edges[row][1:]:
            found = _root(parent, other)
            low, high = (top, found) if density[top] < density[found] else (found, top)
            if found != top and density[low] - density[row] < limit:
                parent[low] = top = high
                falls[low] = float(density[low] - density[row])
    return parent, falls


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = row = parent[parent[row]]
    return row
