"""Spread over the pool: the farthest record next, or the most records within reach.

References
----------
Sener, Savarese (2018), Active Learning for Convolutional Neural Networks: A Core-Set Approach (greedy k-centre).
Yehuda et al. (2022), Active Learning Through a Covering Lens (ProbCover).
"""

import numpy as np
from sklearn.cluster import KMeans

from curation.core.arrays import BoolArray, Float32Array, squared_distances
from curation.core.herding import MAX_CANDIDATES, MAX_LANDMARKS
from curation.core.problem import Problem
from curation.core.strategies.picking import nearest_squared, sample
from curation.core.strategies.registry import Scored, register

PURITY = 0.95
_MAX_FOR_RADIUS = 1000


@register(
    "k_center", why="It is the farthest from everything asked so far ({nearest_asked:.1f} times the usual distance)"
)
def k_center(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The record farthest from all asked and picked ones, again and again; O(n d) a pick, distances kept."""
    X = problem.scaled
    nearest = nearest_squared(X, X[problem.asked.rows])
    if not len(problem.asked.rows):
        nearest = squared_distances(X, X.mean(axis=0, keepdims=True))[:, 0]
    free = allowed.copy()
    rows: list[int] = []
    gains: list[float] = []
    while len(rows) < n_picks and free.any():
        best = int(np.where(free, nearest, -np.inf).argmax())
        rows.append(best)
        gains.append(float(np.sqrt(nearest[best])))
        distance = squared_distances(X, X[[best]])[:, 0]
        nearest = distance if len(rows) == 1 and not len(problem.asked.rows) else np.minimum(nearest, distance)
        free &= problem.group != problem.group[best]
    return Scored(np.array(rows, dtype=np.int64), np.array(gains))


@register("probcover", why="More records not reached yet lie close to it than to any other ({coverage_gain:.0f})")
def probcover(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The record with most of the still uncovered pool within one radius; once all is covered, a second cover begins.

    Notes
    -----
    At most 8,192 candidates x 4,096 landmarks as booleans; each landmark is taken off the counts once per cover.
    """
    X = problem.scaled
    candidates = np.flatnonzero(allowed)
    if not len(candidates):
        return Scored(candidates, np.empty(0))
    candidates = candidates[sample(X[candidates], MAX_CANDIDATES, rng)]
    marks = X[sample(X, MAX_LANDMARKS, rng)]
    limit = radius(X, problem.n_classes, rng) ** 2
    within = np.concatenate(
        [squared_distances(X[candidates[s : s + 1024]], marks) <= limit for s in range(0, len(candidates), 1024)]
    )  # (candidates, landmarks)
    covered = nearest_squared(marks, X[problem.asked.rows]) <= limit
    counts = within[:, ~covered].sum(axis=1).astype(np.float64)
    group = problem.group[candidates]
    rows: list[int] = []
    gains: list[float] = []
    while len(rows) < n_picks and np.isfinite(counts).any():
        best = int(counts.argmax())
        if counts[best] == 0:
            if not covered.any():
                break
            counts[np.isfinite(counts)] = within[np.isfinite(counts)].sum(axis=1)
            covered[:] = False
            continue
        rows.append(int(candidates[best]))
        gains.append(float(counts[best]) * len(X) / len(marks))
        new = within[best] & ~covered
        counts -= within[:, new].sum(axis=1)
        covered |= new
        counts[group == group[best]] = -np.inf
    return Scored(np.array(rows, dtype=np.int64), np.array(gains))


def radius(X: Float32Array, n_classes: int, rng: np.random.Generator) -> float:
    """Return the largest radius at which 95 % of balls hold one cluster only (clusters stand in for classes)."""
    rows = X[sample(X, _MAX_FOR_RADIUS, rng)]
    n_clusters = min(max(n_classes, 2), len(np.unique(rows, axis=0)))
    cluster = KMeans(n_clusters, n_init=3, random_state=int(rng.integers(2**31))).fit_predict(rows)
    distances = np.sqrt(squared_distances(rows, rows))
    foreign = np.where(cluster[:, None] != cluster[None, :], distances, np.inf).min(
        axis=1
    )  # nearest of another cluster
    finite = foreign[np.isfinite(foreign)]
    if not len(finite):
        return float(np.median(distances)) / 4
    return float(np.quantile(finite, 1 - PURITY))
