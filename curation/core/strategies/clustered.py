"""One record per cluster: the typical one of big clusters, or the one nearest to an uncertain cluster's centre.

References
----------
Hacohen, Dekel, Weinshall (2022), Active Learning on a Budget (TypiClust).
Prabhu et al. (2021), Active Domain Adaptation via Clustering Uncertainty-weighted Embeddings (CLUE).
"""

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans

from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray, squared_distances
from curation.core.problem import Problem
from curation.core.strategies.picking import sample
from curation.core.strategies.registry import Scored, register
from curation.core.strategies.uncertain import normalised_entropy

MAX_CLUSTERS = 500
_EXACT, _FITTED_ON, _NEIGHBOURS, _OF_CLUSTER = 5000, 20_000, 20, 1000


@register("typiclust", why="It is the most typical record of a large group that has no label yet")
def typiclust(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The most typical record of the biggest clusters with the fewest labels; as many clusters as labels and picks."""
    X = problem.scaled
    cluster = clusters(X, min(len(problem.asked.rows) + n_picks, MAX_CLUSTERS, len(np.unique(problem.group))), rng)
    n_asked = np.bincount(cluster[problem.asked.rows], minlength=cluster.max() + 1)
    size = np.bincount(cluster)
    free = allowed.copy()
    rows: list[int] = []
    gains: list[float] = []
    while len(rows) < n_picks and free.any():
        open_ = np.bincount(cluster[free], minlength=len(size)) > 0
        best = min(np.flatnonzero(open_), key=lambda c: (n_asked[c], -size[c]))
        members = np.flatnonzero((cluster == best) & free)
        typical = typicality(X, members, np.flatnonzero(cluster == best), rng)
        row = int(members[typical.argmax()])
        rows.append(row)
        gains.append(float(typical.max()))
        n_asked[best] += 1
        free &= problem.group != problem.group[row]
    return Scored(np.array(rows, dtype=np.int64), np.array(gains))


def typicality(X: Float32Array, rows: IntArray, members: IntArray, rng: np.random.Generator) -> FloatArray:
    """Return the inverse mean distance of rows to their 20 nearest of (at most 1,000 of) the members."""
    among = X[members[sample(X[members], _OF_CLUSTER, rng)]]
    k = min(_NEIGHBOURS, len(among))
    result = np.empty(len(rows))
    for start in range(0, len(rows), 4096):
        block = np.partition(squared_distances(X[rows[start : start + 4096]], among), k - 1, axis=1)[:, :k]
        result[start : start + 4096] = 1 / (np.sqrt(block).mean(axis=1) + 1e-6)
    return result


def clusters(X: Float32Array, n_clusters: int, rng: np.random.Generator) -> IntArray:
    """Return k-means clusters, shape (n,); mini-batches above 5,000 rows."""
    seed = int(rng.integers(2**31))
    kind = KMeans if len(X) <= _EXACT else MiniBatchKMeans
    return np.asarray(kind(n_clusters, n_init=1, random_state=seed).fit_predict(X), dtype=np.int64)


@register(
    "clue",
    needs_model=True,
    why="It lies at the centre of a group the model is unsure of (entropy {entropy:.0%} of all)",
)
def clue(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """One record per cluster of an entropy-weighted k-means, the one nearest to the centre."""
    free = np.flatnonzero(allowed)
    if not len(free):
        return Scored(free, np.empty(0))
    X, weights = problem.scaled, normalised_entropy(problem.proba) + 1e-6
    fitted = free[sample(X[free], _FITTED_ON, rng)]
    k = min(n_picks, len(np.unique(problem.group[fitted])))
    found = KMeans(k, n_init=1, random_state=int(rng.integers(2**31)), max_iter=50)
    found.fit(X[fitted], sample_weight=weights[fitted])
    taken = ~allowed
    rows: list[int] = []
    gains: list[float] = []
    mass = np.bincount(found.labels_, weights[fitted], minlength=k)
    for centre in np.argsort(-mass, kind="stable"):
        if taken.all():
            break
        distance = squared_distances(X, found.cluster_centers_[[centre]].astype(np.float32))[:, 0]
        row = int(np.where(taken, np.inf, distance).argmin())
        rows.append(row)
        gains.append(float(mass[centre]))
        taken |= problem.group == problem.group[row]
    return Scored(np.array(rows, dtype=np.int64), np.array(gains))
