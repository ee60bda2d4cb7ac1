"""What lies around records that confuse the model: the evidence by which causes are told apart."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import proxy
from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray, squared_distances
from curation.core.problem import Problem

N_NEAREST: Final = 10
_POOL_NEIGHBOURS, _SAMPLE, _MOST_LABELS = 20, 4096, 2000
_RIDGE, _WIDTH = 0.3, 0.4
EVIDENCE: Final = (
    "irrelevance",
    "isolation",
    "gap",
    "asked_around",
    "agreement",
    "fit",
    "split",
    "flexible_margin",
    "same_side",
)
"""Evidence, higher = more of it: chance that it cannot be labeled (log odds); how far from all others; how much
further off labels are than records; share asked around it; belief of neighbours, and of the model fitted without them,
in the labels around it; how split opinions on those were; how sure a model is that follows neighbours; whether the two
strongest classes lie on the same side."""


@dataclass(frozen=True, eq=False)
class Around:
    """What lies around some rows: the evidence, shape (r, 9), and the nearest labels that it rests on.

    Attributes
    ----------
    evidence
        Columns as in `EVIDENCE`.
    nearest
        Pool rows of the nearest labeled records, shape (r, k).
    labels
        Their classes, shape (r, k).
    n_refused
        How many of the nearest asked records could not be labeled, shape (r,).
    """

    evidence: FloatArray
    nearest: IntArray
    labels: IntArray
    n_refused: IntArray


def known(problem: Problem) -> BoolArray:
    """Return which of the asked records have a label that counts, shape (a,)."""
    return np.asarray((problem.asked.labels >= 0) & (problem.asked.weights > 0))


def around(problem: Problem, rows: IntArray) -> Around:
    """Return the evidence around some rows, shape (r,); there must be a few labeled records.

    Notes
    -----
    O(r (a + 4096) d + a^2 d) time for a labeled records, of which at most 2,000, drawn at random, are looked at.
    """
    rng = problem.rng(11)
    places = np.flatnonzero(known(problem))
    if len(places) > _MOST_LABELS:
        places = np.sort(rng.choice(places, _MOST_LABELS, replace=False))
    labeled, labels = problem.asked.rows[places], problem.asked.labels[places]
    X, L = problem.scaled[rows], problem.scaled[labeled]
    distance, nearest = _nearest(X, L, rows, labeled, N_NEAREST)
    weight = _weights(distance)
    own_distance, own_nearest = _nearest(L, L, labeled, labeled, N_NEAREST)
    belief = proxy.out_of_fold(L, labels, problem.asked.weights[places], problem.n_classes)
    at = np.arange(len(labels))
    agreement = _votes(labels[own_nearest], _weights(own_distance), problem.n_classes)[at, labels]
    gap, asked_around = _spacing(problem, X, rows, L, rng)
    refused = _refused_around(problem, X, rows)
    columns = (
        np.log((1.02 - problem.relevance.proba[rows]) / (problem.relevance.proba[rows] + 0.02)),
        np.maximum(problem.unusual[rows], 0) / 3,
        gap,
        asked_around,
        _mean(agreement[nearest], weight),
        _mean(belief[at, labels][nearest], weight),
        _split(problem.asked.weights[places], nearest, distance),
        _flexible_margin(X, L, rows, labeled, labels, problem.n_classes, problem.median_distance),
        _same_side(X, L[nearest], labels[nearest], _votes(labels[nearest], weight, problem.n_classes)),
    )
    return Around(np.column_stack(columns), labeled[nearest], labels[nearest], refused)


def _nearest(
    A: Float32Array, B: Float32Array, rows_a: IntArray, rows_b: IntArray, k: int
) -> tuple[FloatArray, IntArray]:
    """Return distances and places of the k nearest of B to each of A, itself left out, shape (len(A), k) each."""
    distances = squared_distances(A, B).astype(np.float64)
    distances[rows_a[:, None] == rows_b[None, :]] = np.inf
    k = min(k, len(B) - 1)
    places = np.argpartition(distances, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(distances, places, axis=1), axis=1, kind="stable")
    places = np.take_along_axis(places, order, axis=1)
    return np.sqrt(np.take_along_axis(distances, places, axis=1)), places


def _weights(distance: FloatArray) -> FloatArray:
    """Return Gaussian weights whose width is the distance of the fifth nearest, shape as given, rows sum to 1."""
    middle = distance[:, [min(4, distance.shape[1] - 1)]] + 1e-9
    weight = np.exp(-((distance / middle) ** 2))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _mean(values: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray((values * weight).sum(axis=1))


def _votes(labels: IntArray, weight: FloatArray, n_classes: int) -> FloatArray:
    votes = np.zeros((len(labels), n_classes))
    np.add.at(votes, (np.arange(len(labels))[:, None], labels), weight)
    return votes


def _spacing(
    problem: Problem, X: Float32Array, rows: IntArray, L: Float32Array, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return how much further off labels are than other records, against the usual, and the share asked around it.

    Both of shape (r,): a log ratio, and the share of asked records among the neighbours over that in the pool, up to 1.
    """
    n = len(problem.scaled)
    sample = np.sort(rng.choice(n, min(_SAMPLE, n), replace=False))
    usual = rng.choice(sample, min(500, len(sample)), replace=False)
    everybody = np.concatenate([rows, usual])
    places = problem.scaled[everybody]
    in_pool, neighbours = _nearest(places, problem.scaled[sample], everybody, sample, _POOL_NEIGHBOURS)
    to_label = np.sort(np.partition(squared_distances(places, L), min(3, len(L) - 1), axis=1)[:, :4], axis=1)
    is_self = to_label[:, 0] <= 1e-12  # a labeled record is not its own neighbour
    near = np.where(is_self[:, None], to_label[:, 1:4], to_label[:, :3])
    ratio = np.log(np.sqrt(near).mean(axis=1) + 1e-9) - np.log(in_pool.mean(axis=1) + 1e-9)
    asked = np.isin(sample, problem.asked.rows)
    share = asked[neighbours[: len(rows)]].mean(axis=1) / max(float(asked.mean()), 1e-9)
    return np.asarray(ratio[: len(rows)] - np.median(ratio[len(rows) :])), np.minimum(share, 1.0)


def _refused_around(problem: Problem, X: Float32Array, rows: IntArray) -> IntArray:
    answered = problem.asked.answered
    _, places = _nearest(X, problem.scaled[answered.rows], rows, answered.rows, N_NEAREST)
    return np.asarray((answered.labels[places] < 0).sum(axis=1))


def _split(weights: FloatArray, nearest: IntArray, distance: FloatArray) -> FloatArray:
    """Return how far opinions on the nearest labeled records were split: mean of 1 - confidence, shape (r,)."""
    width = distance[:, [min(2, distance.shape[1] - 1)]] + 1e-9
    near = np.exp(-((distance / width) ** 2))
    return np.asarray(((1 - weights[nearest]) * near).sum(axis=1) / near.sum(axis=1))


def _flexible_margin(
    X: Float32Array,
    L: Float32Array,
    rows: IntArray,
    labeled: IntArray,
    labels: IntArray,
    n_classes: int,
    median_distance: float,
) -> FloatArray:
    """Return how sure a model that follows neighbours is: margin of a kernel ridge regression, shape (r,).

    Of labeled records it is the out-of-sample one (leave-one-out, in closed form).
    """
    width = _WIDTH * median_distance
    target = np.eye(n_classes)[labels] - 1 / n_classes
    inverse = np.linalg.inv(np.exp(-squared_distances(L, L).astype(np.float64) / width) + _RIDGE * np.eye(len(L)))
    solved = inverse @ target
    scores = np.exp(-squared_distances(X, L).astype(np.float64) / width) @ solved
    place = {int(row): i for i, row in enumerate(labeled)}
    for i, row in enumerate(rows):
        at = place.get(int(row))
        if at is not None:
            scores[i] = target[at] - solved[at] / inverse[at, at]
    best = np.partition(scores, -2, axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0])


def _same_side(X: Float32Array, nearest: Float32Array, labels: IntArray, votes: FloatArray) -> FloatArray:
    """Return the cosine between the ways to the nearest records of the two strongest classes, shape (r,).

    -1: the record lies between them; 1: they are mixed, or there is one class only.
    """
    order = np.argsort(votes, axis=1)
    cosine = np.ones(len(X))
    for i in range(len(X)):
        ways = [nearest[i][labels[i] == c][:3].astype(np.float64) for c in order[i, -2:]]
        if all(len(way) for way in ways):
            a, b = (way.mean(axis=0) - X[i] for way in ways)
            cosine[i] = a @ b / (np.sqrt((a @ a) * (b @ b)) + 1e-12)
    return cosine
