"""Scoring a pool of any size: one pass over its shards, by a linear model folded into raw features."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import proxy
from curation.core.arrays import Float32Array, IntArray, Scaler
from curation.core.pool import Pool

RESCORED_RATIO: Final = 0.1
"""Share of the pool scored anew for a later batch; what is drawn is scored anew in any case."""
_MOST_WEIGHT: Final = 10.0
_STILL_GOOD: Final = 0.7
"""Effective share of what is drawn by earlier scores, from which on they are kept; between rounds of 100 labels it is
.5 in the first and .75 to .97 after five on digits, .5 to .7 throughout on texts."""


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

    @property
    def is_trained(self) -> bool:
        """Whether it tells classes apart at all."""
        return self.coef.shape[1] > 1

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
    import torch  # takes a second: only large pools wait for it

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


def score_shard(
    pool: Pool, shard: int, model: Linear, earlier: Float32Array | None = None, seed: Sequence[int] = ()
) -> Float32Array:
    """Return the uncertainty of a shard's rows, shape (n_i,).

    Parameters
    ----------
    earlier
        What an earlier model scored, shape (n_i,). A tenth of the shard, drawn at random in runs of rows, is scored
        anew; where that shows that rows drawn by the earlier scores stand for too little, so is all the rest.
    seed
        Of the round; the shard's number is added.
    """
    scores = np.empty(len(pool.shards[shard]), np.float32) if earlier is None else earlier.copy()
    numbers = np.arange(pool.n_blocks(shard))
    if earlier is not None:
        rng = np.random.default_rng([*seed, shard])
        some = np.sort(rng.choice(numbers, size=max(1, round(RESCORED_RATIO * len(numbers))), replace=False))
        places = _put_right(pool, shard, model, scores, some)
        if _effective_share(earlier[places], scores[places]) >= _STILL_GOOD:
            return scores
        numbers = np.setdiff1d(numbers, some)
    _put_right(pool, shard, model, scores, numbers)
    return scores


def _put_right(pool: Pool, shard: int, model: Linear, scores: Float32Array, numbers: IntArray) -> IntArray:
    """Score some blocks of a shard anew in place; return the places of their rows in it."""
    first, places = int(pool.starts[shard]), []
    for start, block in pool.blocks(shard, numbers):
        here = np.arange(start - first, start - first + len(block))
        scores[here] = model.uncertainty(block, start)
        places.append(here)
    return np.concatenate(places) if places else np.empty(0, np.int64)


def _effective_share(old: Float32Array, new: Float32Array) -> float:
    """Return how many rows drawn by new scores as many drawn by old ones and weighed anew are worth.

    Kish (1965), Survey Sampling: the effective size of a weighted sample.
    """
    weights = np.minimum(new / np.maximum(old, 1e-6), _MOST_WEIGHT).astype(np.float64)
    spread = float(old @ (weights * weights)) * float(old.sum())
    return float(old @ weights) ** 2 / spread if spread > 0 else 1.0


def score(pool: Pool, model: Linear, earlier: Float32Array | None = None, seed: Sequence[int] = ()) -> Float32Array:
    """Return the uncertainty of every row, shape (n,), as `score_shard` of each shard."""
    parts = []
    for shard, (start, stop) in enumerate(itertools.pairwise(pool.starts)):
        before = None if earlier is None else earlier[start:stop]
        parts.append(score_shard(pool, shard, model, before, seed))
    return np.concatenate(parts)
