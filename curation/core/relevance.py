"""P(labelable): how likely an annotator can label a record at all, learnt softly and never a veto."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize, special
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from curation.core import spreading
from curation.core.arrays import Asked, BoolArray, Float32Array, FloatArray, squared_distances

KERNEL_WEIGHT = 0.15
NOISE = 0.20
RIDGE = 1 / 0.3
MIN_ANCHOR = 20
ANCHOR_BELOW = 0.5
"""Estimated share in scope below which the anchor steers from the first batch; above, rejections alone do as well and
cannot lose a true class that lies beside a foreign one (measured: docs/decisions/0005-selection.md)."""
SHARPNESS = 1.5
"""How many times as far from the prior as the mean of both beliefs, in logits, people are told: each sees a part of the
evidence. Steered by that, the engine clings to the few places that have answered (decision 0005)."""
_REACH = 0.5
"""Squared width within which answers tell much the same, over the pool's median squared distance."""
_N_NEIGHBOURS = 20
_MOST_ANSWERS = 3000
"""Answers that all are compared with, of more every second, third ...; the Gaussian process costs their cube."""
_BLOCK = 1024
_BINS = 20


@dataclass(frozen=True, eq=False)
class Relevance:
    """P(labelable) of each pool row, shape (n,), in (0, 1], and the share of the pool believed in scope.

    Attributes
    ----------
    proba
        What people are told.
    in_scope
        Its mean.
    cautious
        The same nearer to what was believed before any answer, shape (n,): what batches are steered by.
    """

    proba: FloatArray
    in_scope: float
    cautious: FloatArray

    @property
    def multiplier(self) -> FloatArray:
        """Factor of each candidate's gain, shape (n,): relative to the median and floored, so nothing is vetoed."""
        return np.clip(self.cautious / np.median(self.cautious), 0.25, 1.0)

    @property
    def target(self) -> FloatArray:
        """Factor of each record's weight as something to be covered, shape (n,)."""
        return np.asarray(self.cautious**2)


@dataclass(frozen=True, eq=False)
class Prior:
    """What the anchor alone says: P(in scope) of each pool row, shape (n,), and their estimated share."""

    proba: FloatArray
    in_scope: float


def atypicality(X: Float32Array, rng: np.random.Generator, sample: int = 4096) -> FloatArray:
    """Return a robust z-score of the log mean distance to neighbours 5 to 20, shape (n,), clipped to [-3, 6].

    Neighbours are sought in a random sample of the pool: O(n x sample) time in blocks, never n x n.
    """
    landmarks = X[np.sort(rng.choice(len(X), size=min(sample, len(X)), replace=False))]
    last = min(_N_NEIGHBOURS, len(landmarks) - 1)
    first = min(4, last)
    mean = np.empty(len(X))
    for start in range(0, len(X), 4096):
        block = np.sort(
            np.partition(squared_distances(X[start : start + 4096], landmarks), last, axis=1)[:, : last + 1]
        )
        mean[start : start + 4096] = np.sqrt(block[:, first : last + 1]).mean(axis=1)
    logs = np.log(mean + 1e-9)
    centre = np.median(logs)
    spread = 1.4826 * np.median(np.abs(logs - centre)) + 1e-9
    return np.clip((logs - centre) / spread, -3, 6)


def from_anchor(X: Float32Array, anchor: Float32Array, rng: np.random.Generator) -> Prior:
    """Return P(in scope) of each pool row from trusted in-scope records, and the share believed in scope.

    A nearest-neighbour ratio and an out-of-fold linear score are added; the anchors' own leave-one-out scores say what
    is usual, and the local false-discovery form turns that into a probability without a threshold. When the pool looks
    clean anyway, the guard takes the whole effect back.

    References
    ----------
    Efron (2004), Large-Scale Simultaneous Hypothesis Testing (local false discovery rate).
    """
    pool_ratio, anchor_ratio = _neighbour_scores(X, anchor, rng)
    pool_linear, anchor_linear = _linear_scores(X, anchor, rng)
    pool = _standardised(pool_ratio, pool_ratio) + _standardised(pool_linear, pool_linear)
    own = np.sort(_standardised(anchor_ratio, pool_ratio) + _standardised(anchor_linear, pool_linear))
    p = (np.searchsorted(own, pool, side="right") + 0.5) / (len(own) + 1)  # (n,)
    in_scope = min(1.0, 2 * float(np.mean(p > 0.5)))
    density, edges = np.histogram(p, bins=_BINS, range=(0, 1), density=True)
    centres = (edges[1:] + edges[:-1]) / 2
    falling = IsotonicRegression(increasing=False).fit_transform(centres, density)
    f = falling[np.minimum((p * _BINS).astype(int), _BINS - 1)]
    m = np.minimum(1.0, in_scope / np.maximum(f, 1e-9))
    guard = np.clip((1 - m.mean() - 0.05) / 0.15, 0, 1)
    return Prior(np.asarray(np.clip(1 - guard * (1 - m), 0.02, 1.0)), in_scope)


def _standardised(values: FloatArray, reference: FloatArray) -> FloatArray:
    return np.asarray((values - reference.mean()) / (reference.std() + 1e-9))


def _neighbour_scores(X: Float32Array, anchor: Float32Array, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return -log of the distance to anchors relative to random rows: pool (n,), anchors leave-one-out (m,)."""
    near, own = _mean_nearest(X, anchor), _mean_nearest(anchor, anchor, skip=1)
    usual = float(np.median(own)) + 1e-9
    draws = [np.sort(rng.choice(len(X), size=min(len(anchor), len(X)), replace=False)) for _ in range(5)]
    pool = np.mean([_mean_nearest(X, X[rows]) for rows in draws], axis=0) + 1e-9
    of_anchor = np.mean([_mean_nearest(anchor, X[rows]) for rows in draws], axis=0) + 1e-9
    return (
        -np.log(near / pool * np.sqrt(near / usual) + 1e-9),
        -np.log(own / of_anchor * np.sqrt(own / usual) + 1e-9),
    )


def _mean_nearest(A: Float32Array, B: Float32Array, skip: int = 0, k: int = 3) -> FloatArray:
    """Return the mean distance to the k nearest rows of B (leaving out the first ``skip``), shape (len(A),)."""
    last = min(skip + k, len(B))
    result = np.empty(len(A))
    for start in range(0, len(A), 8192):
        block = np.partition(squared_distances(A[start : start + 8192], B), last - 1, axis=1)[:, :last]
        result[start : start + 8192] = np.sqrt(np.sort(block, axis=1)[:, min(skip, last - 1) :]).mean(axis=1)
    return result


def _linear_scores(X: Float32Array, anchor: Float32Array, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return out-of-fold logits of anchors against pool rows: pool (n,), anchors (m,)."""
    sample = np.sort(rng.choice(len(X), size=min(len(X), 20_000), replace=False))
    rest = np.setdiff1d(np.arange(len(X)), sample)
    pool_fold = rng.permutation(len(sample)) % 5
    anchor_fold = rng.permutation(len(anchor)) % 5
    pool, own = np.zeros(len(X)), np.zeros(len(anchor))
    for fold in range(5):
        model = LogisticRegression(C=0.02, class_weight="balanced", max_iter=200)
        rows = np.concatenate([X[sample[pool_fold != fold]], anchor[anchor_fold != fold]])
        model.fit(rows * 8.0, np.repeat([0, 1], [int((pool_fold != fold).sum()), int((anchor_fold != fold).sum())]))
        pool[sample[pool_fold == fold]] = model.decision_function(X[sample[pool_fold == fold]] * 8.0)
        own[anchor_fold == fold] = model.decision_function(anchor[anchor_fold == fold] * 8.0)
        if len(rest):
            pool[rest] += model.decision_function(X[rest] * 8.0) / 5
    return pool, own


def extended(X: Float32Array, unusual: FloatArray, median_distance: float) -> Float32Array:
    """Return the scaled pool with how unusual each row is as one more feature, shape (n, d + 1)."""
    scaled = (unusual * 0.7 * np.sqrt(median_distance) / 3).astype(np.float32)
    return np.column_stack([X, scaled]).astype(np.float32)


def estimate(
    X: Float32Array,
    asked: Asked,
    prior: FloatArray | None,
    unusual: FloatArray,
    median_distance: float,
    graph: Any = None,
) -> Relevance:
    """Return P(labelable) from the anchor's prior and from what annotators could not label so far.

    Parameters
    ----------
    X
        Scaled pool, shape (n, d).
    asked
        Rows that were answered, and how; leave out those still waiting (`Asked.answered`).
    prior
        From `from_anchor`, shape (n,); None without an anchor.
    unusual
        From `atypicality`, shape (n,).
    median_distance
        Median squared distance of the pool, > 0.
    graph
        From `spreading.neighbourhood` on the pool with `extended` features, shape (n, n); None: do without.

    Returns
    -------
    Relevance
        Exactly 1 everywhere before the first rejection when there is no anchor, so that a clean pool is selected from
        as if relevance did not exist.

    Notes
    -----
    Each layer corrects the one before: prior, ridge logistic regression, Gaussian-process residual. That belief, which
    reaches far, and the one spread along neighbourhoods, which follows clusters, are averaged in logits. For the
    cautious belief, answers that lie close together count as one in what is believed far and wide: the first batch is
    chosen for what it covers, and says little of the rest of the pool. O(n a) time.
    """
    could = asked.labels >= 0  # (a,)
    if could.all():
        base = prior if prior is not None else np.ones(len(X))
        return Relevance(base, float(base.mean()), base)
    Z = extended(X, unusual, median_distance)
    given = _Given(X, Z, asked, prior, unusual, median_distance, graph)
    told = _belief(given, np.ones(len(could)), SHARPNESS if prior is None else 1.0)  # an anchor's prior is evidence too
    cautious = _belief(given, _counts(Z[asked.rows], _REACH * median_distance), 1.0)
    return Relevance(told, float(told.mean()), cautious)


class _Given(NamedTuple):
    """What beliefs are formed on: see :func:`estimate`; ``Z`` is the pool with how unusual each row is."""

    X: Float32Array
    Z: Float32Array
    asked: Asked
    prior: FloatArray | None
    unusual: FloatArray
    median_distance: float
    graph: Any


def _belief(given: _Given, counts: FloatArray, sharpness: float) -> FloatArray:
    """Return P(labelable) of each row, shape (n,), where each answer counts for so many, shape (a,)."""
    X, Z, asked, prior, unusual, median_distance, graph = given
    could = asked.labels >= 0
    base = np.full(len(X), (counts @ could + 4) / (counts.sum() + 4.5)) if prior is None else prior
    linear = _linear_correction(X, asked, base, unusual, could, counts)
    proba = _kernel_correction(Z, asked, linear, could, median_distance)
    return (
        proba if graph is None else _averaged(base, proba, spreading.spread(graph, asked.rows, could, base), sharpness)
    )


def _counts(asked: Float32Array, width: float) -> FloatArray:
    """Return how many answers each one counts for, shape (a,), in (0, 1]: one over the answers around it."""
    step = -(-len(asked) // _MOST_ANSWERS)
    others, crowd = asked[::step], np.empty(len(asked))
    for start in range(0, len(asked), _BLOCK):
        near = np.exp(-squared_distances(asked[start : start + _BLOCK], others) / width)  # (block, others)
        crowd[start : start + _BLOCK] = step * near.sum(axis=1)
    return np.asarray(1 / np.maximum(crowd, 1.0))


def _averaged(base: FloatArray, one: FloatArray, other: FloatArray, sharpness: float) -> FloatArray:
    """Return the mean of two beliefs in logits, so many times as far from what was believed before, shape (n,)."""
    before, first, second = (special.logit(np.clip(p, 0.02, 0.98)) for p in (base, one, other))
    return np.asarray(special.expit(before + sharpness * ((first + second) / 2 - before)))


def _linear_correction(
    X: Float32Array, asked: Asked, base: FloatArray, unusual: FloatArray, could: BoolArray, counts: FloatArray
) -> FloatArray:
    """Return the prior corrected by a ridge logistic regression whose offset is the prior's logit, shape (n,)."""
    clipped = np.clip(base, 0.02, 0.98)
    offset = special.logit(clipped)
    design = np.column_stack([X, unusual / 3, np.ones(len(X))]).astype(np.float64)  # (n, d + 2)
    rows, target = design[asked.rows], could.astype(np.float64)

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        eta = rows @ w + offset[asked.rows]
        value = float(counts @ (np.logaddexp(0, eta) - target * eta) + RIDGE / 2 * (w @ w))
        gradient = rows.T @ (counts * (special.expit(eta) - target)) + RIDGE * w
        return value, np.asarray(gradient)

    w = optimize.minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    return np.asarray(special.expit(design @ w + offset))


def _kernel_correction(
    Z: Float32Array, asked: Asked, base: FloatArray, could: BoolArray, median_distance: float
) -> FloatArray:
    """Return the belief corrected by a Gaussian process on what is left of the answers, shape (n,), in [.02, 1]."""
    some = np.arange(len(could))[:: -(-len(could) // _MOST_ANSWERS)]
    rows, residual = asked.rows[some], could[some].astype(np.float64) - base[asked.rows[some]]
    known, width = Z[rows], _REACH * median_distance
    among = KERNEL_WEIGHT * np.exp(-squared_distances(known, known) / width)  # (a, a)
    solved = KERNEL_WEIGHT * np.linalg.solve(among + NOISE * np.eye(len(known)), residual)
    result, weights = base.copy(), solved.astype(np.float32)
    for start in range(0, len(Z), _BLOCK):
        across = squared_distances(Z[start : start + _BLOCK], known)  # (block, a)
        np.exp(np.multiply(across, -1 / width, out=across), out=across)
        result[start : start + _BLOCK] += across @ weights
    return np.clip(result, 0.02, 1.0)
