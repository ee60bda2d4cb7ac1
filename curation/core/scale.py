"""The selection engine on a sketch of a pool of any size: greedy herding, near copies passed over."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from curation.core import duplicates, herding, relevance
from curation.core.arrays import (
    Asked,
    Float32Array,
    FloatArray,
    IntArray,
    Scaler,
    nearest_squared,
    squared_distances,
)
from curation.core.scoring import Linear
from curation.core.sketch import Sketch

_KERNEL_ROWS: Final = 512


@dataclass(frozen=True, eq=False)
class Facts:
    """What is told of some rows, each shape (n,).

    Attributes
    ----------
    relevance
        P(labelable).
    nearest
        Distance to the nearest asked row in units of the pool's usual distance; infinity before anything was asked.
    n_near_copies
        Near copies among the other rows drawn.
    """

    relevance: FloatArray
    nearest: FloatArray
    n_near_copies: FloatArray


@dataclass(frozen=True, eq=False)
class Chosen:
    """A batch, best first: rows, what each adds to the coverage, and the facts of these rows and of those beside.

    ``drawn`` are the places of the spare rows it takes as well, ``of_drawn`` their facts.
    """

    rows: IntArray
    gains: FloatArray
    facts: Facts
    beside: Facts
    drawn: IntArray
    of_drawn: Facts


def choose(
    sketch: Sketch,
    *,
    scaler: Scaler,
    model: Linear | None,
    asked: Asked,
    asked_X: Float32Array,
    n_picks: int,
    rng: np.random.Generator,
    beside_X: Float32Array | None = None,
    spare_X: Float32Array | None = None,
    n_drawn: int = 0,
    anchor: Float32Array | None = None,
    trusts_anchor: bool = False,
) -> Chosen:
    """Return the next batch of a pool from its sketch.

    Parameters
    ----------
    sketch
        Of the whole pool, from :func:`merge`; drawn by scores that may be of an earlier model: what was drawn is
        scored by ``model`` again.
    scaler, model
        The pool's scale, and the classifier of this round; None where the scores are no model's, or this round's own.
    asked, asked_X
        Rows asked so far with their answers, and their features as stored, shape (a, d).
    n_picks
        Batch size, >= 1; fewer come back only when fewer distinct records were drawn and are left.
    beside_X
        Features as stored, shape (c, d), of rows that the batch holds already (its control picks).
    spare_X, n_drawn
        Features as stored, shape (s, d), of rows drawn at random, and how many of them the batch takes at most, beside
        ``n_picks``: the first that are no near copies.
    anchor
        Trusted in-scope records as stored, shape (m, d); they steer where less than half of what was drawn is in scope,
        or in any case where ``trusts_anchor``.

    Returns
    -------
    Chosen
        No near copy of a row asked before or beside, no two near copies of each other.

    Notes
    -----
    Landmarks drawn in proportion to their scores all weigh the same; where the score was old, new over old corrects it.
    O(candidates x landmarks x d) time; the kernel of candidates x landmarks float32 is the peak of memory.

    References
    ----------
    Bae, Sutherland, Noh (2025), Uncertainty Herding; Madow (1949), systematic sampling.
    """
    marks, candidates = sketch.marks, sketch.candidates
    M, C, A = scaler(marks.X), scaler(candidates.X), scaler(asked_X)
    B = C[:0] if beside_X is None else scaler(beside_X)
    weights = marks.weights
    if model is not None:
        weights = weights * (model.uncertainty(marks.X) / marks.scores.clip(1e-6)).clip(0.0, 10.0)
    median, limit = _median_distance(M), duplicates.radius(M, rng)
    S = C[:0] if spare_X is None else scaler(spare_X)
    drawn, n_beside = _distinct(S, np.concatenate([A, B]), limit, n_drawn), len(B)
    B = np.concatenate([B, S[drawn]])
    nearest = nearest_squared(np.concatenate([M, C, B]), A)  # (m + c + b,)
    trusted = None if anchor is None or len(anchor) < relevance.MIN_ANCHOR else scaler(anchor)
    believed = _relevance(np.concatenate([M, C, B]), A, asked, median, rng, trusted, trusts_anchor)
    m, c = len(M), len(M) + len(C)
    width = herding.kernel_width(A, np.arange(len(A)), median)
    allowed = np.flatnonzero((nearest[m:c] > limit**2) & (nearest_squared(C, B) > limit**2))
    picked, gains = _greedy(
        _kernel(C[allowed], M, width),
        np.exp(-nearest[:m] / np.float32(width)),
        weights * believed.target[:m],
        believed.multiplier[m:c][allowed],
        C[allowed],
        limit,
        n_picks,
    )
    picked = allowed[picked]
    usual = np.sqrt(nearest / median)

    def facts(places: IntArray, X: Float32Array) -> Facts:
        copies = (squared_distances(X, C) <= limit**2).sum(axis=1)
        return Facts(believed.proba[places], usual[places], copies.astype(np.float64))

    beside, of_drawn = (facts(c + at, B[at]) for at in np.split(np.arange(len(B)), [n_beside]))
    found = facts(m + picked, C[picked])
    found = replace(found, n_near_copies=found.n_near_copies - 1)  # without itself
    return Chosen(candidates.rows[picked], gains, found, beside, drawn, of_drawn)


def _distinct(S: Float32Array, others: Float32Array, limit: float, n: int) -> IntArray:
    """Return the first ``n`` places of ``S`` that are no near copies of others or of each other, in order."""
    taken: list[int] = []
    for at in np.flatnonzero(nearest_squared(S, others) > limit**2):
        if len(taken) < n and (not taken or squared_distances(S[[at]], S[taken]).min() > limit**2):
            taken.append(int(at))
    return np.array(taken, dtype=np.int64)


def _median_distance(M: Float32Array) -> float:
    some = M[:: max(1, len(M) // 1000)]
    distances = squared_distances(some, some)[np.triu_indices(len(some), 1)]
    return float(np.median(distances)) if len(distances) and np.median(distances) > 0 else 1.0


def _relevance(
    drawn: Float32Array,
    A: Float32Array,
    asked: Asked,
    median: float,
    rng: np.random.Generator,
    anchor: Float32Array | None,
    trusts_anchor: bool,
) -> relevance.Relevance:
    """Return P(labelable) of the rows drawn, shape (n,); 1 before the first rejection when no anchor steers."""
    everything = np.concatenate([drawn, A])
    prior = None if anchor is None else relevance.from_anchor(everything, anchor, rng)
    steers = prior is not None and (trusts_anchor or prior.in_scope < relevance.ANCHOR_BELOW)
    steering = prior.proba if prior is not None and steers else None
    here = Asked(np.arange(len(drawn), len(everything)), asked.labels, asked.weights).answered
    has_rejections = bool((here.labels < 0).any())
    unusual = relevance.atypicality(everything, rng, sample=1024) if has_rejections else np.zeros(0)
    found = relevance.estimate(everything, here, steering, unusual, median)
    n = len(drawn)
    return relevance.Relevance(found.proba[:n], found.in_scope, found.cautious[:n])


def _kernel(C: Float32Array, M: Float32Array, width: float) -> Float32Array:
    """Return exp(-D^2 / width), shape (len(C), len(M)), made block by block in place."""
    kernel = np.empty((len(C), len(M)), np.float32)
    mark_norms, norms = (M * M).sum(axis=1), (C * C).sum(axis=1)
    scaled = np.ascontiguousarray((2 / width * M).T)
    for start in range(0, len(C), _KERNEL_ROWS):
        block = kernel[start : start + _KERNEL_ROWS]
        np.matmul(C[start : start + _KERNEL_ROWS], scaled, out=block)
        block -= mark_norms / np.float32(width)
        block -= (norms[start : start + _KERNEL_ROWS] / np.float32(width))[:, None]
        np.minimum(block, 0.0, out=block)
        np.exp(block, out=block)
    return kernel


def _greedy(
    kernel: Float32Array,
    covered: Float32Array,
    weights: FloatArray,
    multiplier: FloatArray,
    C: Float32Array,
    limit: float,
    n_picks: int,
) -> tuple[IntArray, FloatArray]:
    """Return the places of the picks and their gains: lazy greedy, passing over near copies of picks."""
    weight, covered = weights.astype(np.float32), covered.copy()
    bound = np.empty(len(kernel))
    for start in range(0, len(kernel), _KERNEL_ROWS):
        bound[start : start + _KERNEL_ROWS] = np.maximum(kernel[start : start + _KERNEL_ROWS] - covered, 0) @ weight
    bound *= multiplier
    fresh = np.zeros(len(kernel), np.int64)
    picked: list[int] = []
    gains: list[float] = []
    buffer = np.empty_like(covered)
    while len(picked) < n_picks and len(bound):
        best = int(bound.argmax())
        if bound[best] == -np.inf:
            break
        if fresh[best] != len(picked):
            np.maximum(np.subtract(kernel[best], covered, out=buffer), 0, out=buffer)
            bound[best] = multiplier[best] * float(buffer @ weight)
            fresh[best] = len(picked)
            continue
        if picked and squared_distances(C[best : best + 1], C[picked]).min() <= limit**2:
            bound[best] = -np.inf
            continue
        picked.append(best)
        gains.append(float(bound[best]))
        np.maximum(covered, kernel[best], out=covered)
        bound[best] = -np.inf
    return np.array(picked, dtype=np.int64), np.asarray(gains)
