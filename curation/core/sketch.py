"""A sketch of a pool: candidates and landmarks drawn from each shard in proportion to what they are worth.

Each shard is drawn from on its own, so any number of workers draw the same.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core.arrays import Float32Array, FloatArray, IntArray
from curation.core.pool import Pool

COLD: Final = (8192, 4096)
"""Candidates and landmarks of a first batch."""
NEXT: Final = (6144, 3072)
"""Of later batches: smaller, because the scores left from before already point to the right rows."""
_ROOM: Final = 2
"""How many times its even share a shard sends on, in case it holds more of what is worth labeling than others."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Rows drawn from a part of a pool in proportion to their scores.

    Attributes
    ----------
    rows
        Their numbers in the whole pool, shape (m,), rising.
    X
        Their features as stored, shape (m, d).
    scores
        The scores they were drawn by, shape (m,).
    weights
        How many of the pool's steps each stands for, shape (m,).
    mass
        Sum of the scores of the part they stand for.
    """

    rows: IntArray
    X: Float32Array
    scores: Float32Array
    weights: Float32Array
    mass: float


@dataclass(frozen=True, eq=False)
class Sketch:
    """What a shard sends on: candidates to pick from, and landmarks that stand for what is to be covered."""

    candidates: Drawn
    marks: Drawn


def draw(
    pool: Pool, shard: int, scores: Float32Array, asked: IntArray, sizes: tuple[int, int], seed: Sequence[int]
) -> Sketch:
    """Draw a shard's candidates and landmarks by systematic sampling; what is drawn depends on nothing else.

    Parameters
    ----------
    scores
        Uncertainty of the shard's rows, shape (n_i,).
    asked
        Rows of the whole pool asked so far: never drawn.
    sizes
        Candidates and landmarks wanted of the whole pool; of each shard at most twice its even share is drawn.
    seed
        The same in all shards of a round.
    """
    rng = np.random.default_rng([*seed, shard])
    first, n = int(pool.starts[shard]), len(scores)
    weights = scores.astype(np.float64) + 1e-9
    weights[asked[(asked >= first) & (asked < first + n)] - first] = 0.0

    def some(size: int) -> Drawn:
        local, hits = systematic(weights, min(size, -(-_ROOM * size // len(pool.shards))), rng)
        return Drawn(local + first, pool.rows(local + first), scores[local], hits, float(weights.sum()))

    return Sketch(some(sizes[0]), some(sizes[1]))


def of_pool(pool: Pool, scores: Float32Array, asked: IntArray, sizes: tuple[int, int], seed: Sequence[int]) -> Sketch:
    """Return the sketch of a whole pool from its scores, shape (n,): what any number of workers would draw together."""
    bounds = itertools.pairwise(pool.starts)
    return merge(
        [draw(pool, i, scores[start:stop], asked, sizes, seed) for i, (start, stop) in enumerate(bounds)], sizes
    )


def systematic(weights: FloatArray, size: int, rng: np.random.Generator) -> tuple[IntArray, Float32Array]:
    """Draw rows at even steps of the running sum of weights, from one random start.

    Returns
    -------
    rows, hits
        Distinct rows, rising, and how many steps met each (where ``size`` would take all: its share of them). None has
        weight 0, and ``hits`` of rows stands for their weight without bias.
    """
    if size >= len(weights):
        rows = np.flatnonzero(weights > 0)
        return rows, (weights[rows] / max(weights.sum(), 1e-300) * len(rows)).astype(np.float32)
    total = weights.cumsum()
    if total[-1] <= 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    steps = (np.arange(size) + rng.random()) * (total[-1] / size)
    places = np.searchsorted(total, steps, side="right").clip(0, np.flatnonzero(weights)[-1])
    rows, hits = np.unique(places, return_counts=True)
    return rows.astype(np.int64), hits.astype(np.float32)


def merge(sketches: Sequence[Sketch], sizes: tuple[int, int]) -> Sketch:
    """Return one sketch of all shards, each shard's part in proportion to its mass."""
    return Sketch(
        _thinned([sketch.candidates for sketch in sketches], sizes[0]),
        _thinned([sketch.marks for sketch in sketches], sizes[1]),
    )


def _thinned(parts: Sequence[Drawn], size: int) -> Drawn:
    mass = sum(part.mass for part in parts)
    rows, X, scores, weights = [], [], [], []
    for part in parts:
        wanted = size * part.mass / mass if mass > 0 else 0.0
        n = min(len(part.rows), max(1, round(wanted)))
        keep = np.linspace(0, len(part.rows), n, endpoint=False).astype(np.int64)
        rows.append(part.rows[keep])
        X.append(part.X[keep])
        scores.append(part.scores[keep])
        weights.append(part.weights[keep] * np.float32(wanted / max(float(part.weights[keep].sum()), 1e-9)))
    return Drawn(np.concatenate(rows), np.concatenate(X), np.concatenate(scores), np.concatenate(weights), mass)
