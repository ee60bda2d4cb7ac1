"""Pools in which the causes of confusion are known, because they were planted."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from benchmarks.selection.pools import Clean
from curation.core.arrays import Asked, BoolArray, Float32Array, FloatArray, IntArray
from curation.core.causes import Cause
from curation.core.problem import Problem

NONE: Final = -1
N_POOL: Final = 2000
_SKILL, _SLIP = 0.9, 0.97
CODE: Final = {cause: number for number, cause in enumerate(Cause)}


@dataclass(eq=False)
class World:
    """A pool being planted: features, the two answers an annotator may give, and the cause of each record."""

    X: FloatArray
    answer: IntArray
    other: IntArray
    cause: IntArray
    n_classes: int
    rng: np.random.Generator

    def free(self) -> IntArray:
        """Return the rows nothing was planted in."""
        return np.flatnonzero(self.cause == NONE)

    def draw(self, share: float) -> IntArray:
        """Return so many free rows."""
        return self.rng.choice(self.free(), int(share * len(self.X)), replace=False)


def make(clean: Clean, seed: int, n_asked: int) -> tuple[Problem, IntArray]:
    """Return a selection problem with answers, and the cause planted in each pool row (-1: none)."""
    rng = np.random.default_rng([seed, 5])
    order = rng.permutation(len(clean.X))[:N_POOL]
    X, y = clean.X[order].astype(np.float64), clean.y[order]
    world = World(X, y.copy(), y.copy(), np.full(len(X), NONE), clean.n_classes, rng)
    _by_cluster(world, seed)
    _square(world)
    _between(world)
    _foreign(world, clean)
    _damaged(world)
    return _asked(world, n_asked, seed), world.cause


def _by_cluster(world: World, seed: int) -> None:
    """One cluster is never asked for; in another, half the labels were given by another reading of the task."""
    k = max(12, 2 * world.n_classes)
    cluster = KMeans(k, n_init=2, random_state=seed).fit_predict(world.X)
    sizes = np.bincount(cluster, minlength=k) / len(world.X)
    fitting = [c for c in world.rng.permutation(k) if 0.02 <= sizes[c] <= 0.15]
    world.cause[cluster == fitting[0]] = CODE[Cause.NOVEL]
    here = cluster == fitting[1]
    world.cause[here] = CODE[Cause.LABEL_CONFLICT]
    usual = np.bincount(world.answer[here]).argmax()
    reading = (usual + 1 + world.rng.integers(world.n_classes - 1)) % world.n_classes
    misread = here & (world.rng.random(len(here)) < 0.5)
    world.answer[misread] = world.other[misread] = reading


def _square(world: World) -> None:
    """Four groups at the corners of a square, their classes by diagonal: no linear model tells them apart."""
    rows = world.draw(0.16)
    two = np.argsort(-np.bincount(world.answer[world.free()], minlength=world.n_classes), kind="stable")[:2]
    spread = world.X.std(axis=0) + 1e-9
    centred = (world.X[rows] - world.X.mean(axis=0)) / spread
    ways = world.rng.normal(size=(2, world.X.shape[1]))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    side = world.rng.integers(0, 2, (len(rows), 2))
    reach = 0.7 * np.sqrt((centred**2).sum(axis=1).mean())
    world.X[rows] = world.X.mean(axis=0) + (0.9 * centred + reach * (2 * side - 1) @ ways) * spread
    world.answer[rows] = world.other[rows] = np.where(side[:, 0] ^ side[:, 1], two[0], two[1])
    world.cause[rows] = CODE[Cause.CAPACITY]


def _between(world: World) -> None:
    """Records half-way between neighbours of two classes; annotators see either."""
    rows = world.draw(0.10)
    near = NearestNeighbors(n_neighbors=60).fit(world.X).kneighbors(world.X[rows], return_distance=False)
    X = world.X.copy()
    for row, around in zip(rows, near, strict=True):
        wanted = [j for j in around if world.answer[j] != world.answer[row] and world.cause[j] == NONE]
        if wanted:
            j, share = world.rng.choice(wanted), world.rng.uniform(0.4, 0.6)
            X[row] = share * world.X[row] + (1 - share) * world.X[j]
            world.other[row] = world.answer[j]
            world.cause[row] = CODE[Cause.AMBIGUOUS]
    world.X = X


def _foreign(world: World, clean: Clean) -> None:
    rows = world.draw(0.10)
    outside = clean.outside
    if outside is None:
        outside = np.stack([world.rng.permutation(column) for column in clean.X.T], axis=1)
    world.X[rows] = outside[world.rng.choice(len(outside), len(rows), replace=len(outside) < len(rows))]
    world.answer[rows] = -1
    world.cause[rows] = CODE[Cause.OUT_OF_SCOPE]


def _damaged(world: World) -> None:
    """Noise on some features, features at their limit, or noise on all; half of them cannot be labeled."""
    rows, spread = world.draw(0.05), world.X.std(axis=0)
    B = world.X[rows]
    hit = world.rng.random(B.shape) < 0.45
    broken = (
        np.where(hit, B + world.rng.normal(size=B.shape) * 6 * spread, B),
        np.where(hit, world.X.max(axis=0), B),
        B + world.rng.normal(size=B.shape) * 3 * spread,
    )
    world.X[rows] = broken[world.rng.integers(3)]
    lost = world.rng.random(len(rows)) < 0.5
    world.answer[rows] = np.where(lost, -1, world.rng.integers(0, world.n_classes, len(rows)))
    world.other[rows] = world.answer[rows]
    world.cause[rows] = CODE[Cause.CORRUPTED]


def _asked(world: World, n_asked: int, seed: int) -> Problem:
    """Ask for records at random, of one to three annotators each; who misread the task did so consistently."""
    rng, n, k = world.rng, len(world.X), world.n_classes
    skill = np.where(world.cause == CODE[Cause.LABEL_CONFLICT], _SLIP, _SKILL)
    n_opinions, log_odds = rng.integers(1, 4, n), np.zeros((n, k))
    for opinion in range(3):
        seen = np.where(rng.random(n) < 0.5, world.answer, world.other)
        said = np.where(rng.random(n) < skill, seen, (seen + 1 + rng.integers(0, k - 1, n)) % k)
        told: Float32Array = np.full((n, k), np.log((1 - _SKILL) / (k - 1)), dtype=np.float32)
        told[np.arange(n), np.maximum(said, 0)] = np.log(_SKILL)
        counts: BoolArray = (opinion < n_opinions) & (world.answer >= 0)
        log_odds += np.where(counts[:, None], told, 0.0)
    belief = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    belief /= belief.sum(axis=1, keepdims=True)
    labels = np.where(world.answer >= 0, belief.argmax(axis=1), -1)
    weights = np.where(labels >= 0, belief.max(axis=1), 1.0)
    known = np.flatnonzero(world.cause != CODE[Cause.NOVEL])
    rows = rng.choice(known, min(n_asked, len(known)), replace=False)
    return Problem(X=world.X.astype(np.float32), asked=Asked(rows, labels[rows], weights[rows]), n_classes=k, seed=seed)
