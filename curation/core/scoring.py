"""Scoring a pool of any size: one pass over its shards, by a linear model folded into raw features."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from curation.core import proxy
from curation.core.arrays import Float32Array, Scaler
from curation.core.pool import BLOCK, Pool

RESCORED_RATIO: Final = 0.1
"""Share of the pool scored anew for a later batch; what is drawn is scored anew in any case."""

Step = Callable[[int], None]
"""Is told how many rows have been scored."""


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear classifier on raw features: ``X @ coef + intercept`` are its logits.

    Attributes
    ----------
    coef
        Shape (d, k), float32; its last column adds a row's features up, which betrays NaN and infinity.
    intercept
        Shape (k,), float32.
    """

    coef: Float32Array
    intercept: Float32Array

    @classmethod
    def of(cls, model: proxy.Model, scaler: Scaler) -> "Linear":
        """Fold the pool's scale into the proxy model (but for its clipping beyond 8 standard deviations)."""
        d = len(scaler.mean)
        shrink = (1 / (scaler.spread * np.sqrt(d))).astype(np.float32)  # (d,)
        if model.estimator is None:
            return cls(np.ones((d, 1), np.float32), np.zeros(1, np.float32))
        coef, intercept = model.estimator.coef_.T, model.estimator.intercept_  # (d, k), (k,)
        if coef.shape[1] == 1:  # two classes: logits of the second against the first
            coef, intercept = np.hstack([0 * coef, coef]), np.array([0.0, intercept[0]])
        folded = coef * shrink[:, None]
        shifted = intercept - scaler.mean @ folded
        return cls(
            np.column_stack([folded, np.ones(d)]).astype(np.float32),
            np.append(shifted, 0.0).astype(np.float32),
        )

    def uncertainty(self, X: Float32Array, first_row: int = 0) -> Float32Array:
        """Return the margin uncertainty of raw rows, shape (n,), in [0, 1]; 1 without a model.

        Raises
        ------
        ValueError
            When a row holds NaN or infinity; it is named, counted from ``first_row``.
        """
        with np.errstate(invalid="ignore", over="ignore"):  # told below, with the row
            logits = (_product(X, self.coef) + self.intercept).T.copy()  # (k, n): each class a contiguous row
        bad = ~np.isfinite(logits[-1])
        if bad.any():
            row = first_row + int(bad.argmax())
            raise ValueError(f"{int(bad.sum())} rows hold NaN or infinity, the first is row {row}")
        return np.ones(len(X), np.float32) if len(logits) == 1 else _margin_uncertainty(logits[:-1])


def _product(X: Float32Array, coef: Float32Array) -> Float32Array:
    """Return X @ coef, on the GPU where torch sees one."""
    if torch.cuda.is_available():
        return np.asarray((torch.from_numpy(X).cuda() @ torch.from_numpy(coef).cuda()).cpu().numpy())
    return np.asarray(X @ coef)


def _margin_uncertainty(logits: Float32Array) -> Float32Array:
    """Return 1 - (p1 - p2) from logits (k, n), which it changes."""
    best = logits.max(axis=0)
    np.exp(np.subtract(logits, best, out=logits), out=logits)
    total = logits.sum(axis=0)
    where = logits.argmax(axis=0)
    logits[where, np.arange(logits.shape[1])] = 0.0
    return np.asarray(1 - (1 - logits.max(axis=0)) / total, dtype=np.float32)


def score_shard(pool: Pool, shard: int, model: Linear, step: Step | None = None) -> Float32Array:
    """Return the uncertainty of a shard's rows, shape (n_i,)."""
    scores = np.empty(len(pool.shards[shard]), np.float32)
    offset = int(pool.starts[shard])
    for start, block in pool.blocks(shard):
        scores[start - offset : start - offset + len(block)] = model.uncertainty(block, start)
        if step is not None:
            step(len(block))
    return scores


def score(pool: Pool, model: Linear, step: Step | None = None) -> Float32Array:
    """Return the uncertainty of every row, shape (n,); reads the pool once."""
    return np.concatenate([score_shard(pool, shard, model, step) for shard in range(len(pool.shards))])


def score_some(pool: Pool, model: Linear, scores: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Return the scores with those of some runs of rows, a tenth of the pool drawn at random, put right."""
    fresh = scores.copy()
    n_blocks = -(-len(pool) // BLOCK)
    chosen = np.sort(rng.choice(n_blocks, size=max(1, round(RESCORED_RATIO * n_blocks)), replace=False))
    for number in chosen:
        ids = np.arange(number * BLOCK, min((number + 1) * BLOCK, len(pool)))
        fresh[ids] = model.uncertainty(pool.rows(ids), int(ids[0]))
    return fresh
