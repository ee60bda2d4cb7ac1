"""The selection engine on a sketch of a pool of any size: greedy herding, near copies passed over."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import duplicates, herding, relevance
from curation.core.arrays import Asked, BoolArray, Float32Array, FloatArray, IntArray, Scaler, squared_distances
from curation.core.scoring import Linear
from curation.core.sketch import Sketch

_KERNEL_ROWS: Final = 512


@dataclass(frozen=True, eq=False)
class Chosen:
    """A batch, best first: rows, what each adds to the coverage, uncertainty, P(labelable), distance to the asked.

    ``nearest`` is in units of the pool's usual distance; infinity before anything was asked.
    """

    rows: IntArray
    gains: FloatArray
    uncertainty: FloatArray
    relevance: FloatArray
    nearest: FloatArray


def choose(
    sketch: Sketch,
    *,
    scaler: Scaler,
    model: Linear,
    asked: Asked,
    asked_X: Float32Array,
    n_picks: int,
    rng: np.random.Generator,
    forbidden: IntArray | None = None,
    anchor: Float32Array | None = None,
) -> Chosen:
    """Return the next batch of a pool from its sketch.

    Parameters
    ----------
    sketch
        Of the whole pool, from :func:`merge`; drawn by scores that may be of an earlier model: what was drawn is
        scored by ``model`` again.
    scaler, model
        The pool's scale, and the classifier of this round.
    asked, asked_X
        Rows asked so far with their answers, and their features as stored, shape (a, d).
    n_picks
        Batch size, >= 1; fewer come back only when fewer distinct records were drawn and are left.
    forbidden
        Rows that must not be picked (control picks of the same batch).
    anchor
        Trusted in-scope records as stored, shape (m, d); they steer where less than half of what was drawn is in scope.

    Returns
    -------
    Chosen
        No row asked before, no near copy of one, no two near copies of each other.

    Notes
    -----
    Landmarks drawn in proportion to their scores all weigh the same; where the score was old, new over old corrects it.
    O(candidates x landmarks x d) time; the kernel of candidates x landmarks float32 is the peak of memory.

    References
    ----------
    Bae, Sutherland, Noh (2025), Uncertainty Herding; Madow (1949), systematic sampling.
    """
    marks, candidates = sketch.marks, sketch.candidates
    weights = marks.weights * (model.uncertainty(marks.X) / marks.scores.clip(1e-6)).clip(0.0, 10.0)
    M, A = scaler(marks.X), scaler(asked_X)
    median, limit = _median_distance(M), duplicates.threshold(M, rng)
    C = scaler(candidates.X)
    allowed = _far_from(C, A, limit)
    if forbidden is not None:
        allowed &= ~np.isin(candidates.rows, forbidden)
    C, rows = C[allowed], candidates.rows[allowed]
    trusted = None if anchor is None or len(anchor) < relevance.MIN_ANCHOR else scaler(anchor)
    believed = _relevance(M, C, A, asked, median, rng, trusted)
    width = herding.kernel_width(A, np.arange(len(A)), median)
    covered = herding.coverage(M, A, width)
    picked, gains = _greedy(
        _kernel(C, M, width),
        covered,
        weights * believed.target[: len(M)],
        believed.multiplier[len(M) :],
        C,
        limit,
        n_picks,
    )
    return Chosen(
        rows[picked],
        gains,
        model.uncertainty(candidates.X[allowed][picked]).astype(np.float64),
        believed.proba[len(M) :][picked],
        _nearest(C[picked], A, median),
    )


def _nearest(C: Float32Array, A: Float32Array, median: float) -> FloatArray:
    if not len(A) or not len(C):
        return np.full(len(C), np.inf)
    return np.asarray(np.sqrt(squared_distances(C, A).min(axis=1) / median), dtype=np.float64)


def _median_distance(M: Float32Array) -> float:
    some = M[:: max(1, len(M) // 1000)]
    distances = squared_distances(some, some)[np.triu_indices(len(some), 1)]
    return float(np.median(distances)) if len(distances) and np.median(distances) > 0 else 1.0


def _far_from(C: Float32Array, A: Float32Array, limit: float) -> BoolArray:
    """Return which candidates are no near copy of anything asked."""
    far = np.ones(len(C), np.bool_)
    for start in range(0, len(A), 1024):
        far &= squared_distances(C, A[start : start + 1024]).min(axis=1) > limit**2
    return far


def _relevance(
    M: Float32Array,
    C: Float32Array,
    A: Float32Array,
    asked: Asked,
    median: float,
    rng: np.random.Generator,
    anchor: Float32Array | None,
) -> relevance.Relevance:
    """Return P(labelable) of landmarks, then candidates; 1 before the first rejection when no anchor steers."""
    everything = np.concatenate([M, C, A])
    n_drawn = len(M) + len(C)
    prior = None if anchor is None else relevance.from_anchor(everything, anchor, rng)
    steering = prior.proba if prior is not None and prior.in_scope < relevance.ANCHOR_BELOW else None
    here = Asked(np.arange(n_drawn, len(everything)), asked.labels, asked.weights).answered
    has_rejections = bool((here.labels < 0).any())
    unusual = relevance.atypicality(everything, rng, sample=1024) if has_rejections else np.zeros(0)
    found = relevance.estimate(everything, here, steering, unusual, median)
    return relevance.Relevance(found.proba[:n_drawn], found.in_scope)


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
