"""Large pools on disk: clusters of several classes, some near copies, some rows nobody can label."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from curation.core.arrays import Asked, Float32Array, IntArray
from curation.core.pool import Pool
from curation.services.shards import open_pool

N_CLASSES: Final = 10
_CLUSTERS: Final = 5
_PIECE: Final = 50_000


@dataclass(frozen=True, eq=False)
class World:
    """A pool and the true class of some of its rows (-1: foreign)."""

    pool: Pool
    centres: Float32Array

    def label(self, X: Float32Array) -> IntArray:
        """Return the class of the nearest centre of each row; the last cluster is foreign."""
        distances = (self.centres**2).sum(axis=1) - 2 * X @ self.centres.T
        nearest = distances.argmin(axis=1)
        return np.where(nearest == len(self.centres) - 1, -1, nearest % N_CLASSES).astype(np.int64)

    def asked(self, n: int, rng: np.random.Generator, *, with_foreign: bool) -> tuple[Asked, Float32Array]:
        """Return so many rows asked at random, with their answers and features."""
        rows = np.sort(rng.choice(len(self.pool), 2 * n, replace=False))
        X = self.pool.rows(rows)
        labels = self.label(X)
        fit = np.flatnonzero(np.ones(len(rows), bool) if with_foreign else labels >= 0)[:n]
        return Asked(rows[fit], labels[fit], np.ones(n)), X[fit]


def make(folder: Path, n: int, d: int, dtype: str, n_shards: int = 4, seed: int = 0) -> World:
    """Write a pool of n rows and d features in shards, piece by piece, and open it."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(N_CLASSES * _CLUSTERS + 1, d)).astype(np.float32)
    names = []
    bounds = np.linspace(0, n, n_shards + 1).astype(int)
    for number, (start, stop) in enumerate(itertools.pairwise(bounds)):
        name = folder / f"features-{number}.npy"
        array = np.lib.format.open_memmap(name, "w+", dtype, (int(stop - start), d))  # type: ignore[no-untyped-call]
        for at in range(0, len(array), _PIECE):
            m = min(_PIECE, len(array) - at)
            which = rng.integers(0, len(centres), m)
            array[at : at + m] = centres[which] + 1.6 * rng.standard_normal((m, d), dtype=np.float32)
        array.flush()
        names.append(str(name))
    return World(open_pool(names), centres)
