"""CPU seconds and memory of a first and a later batch, the floor beside them, and the quality of the sketch."""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.scale.world import N_CLASSES, World
from curation.core import herding, proxy, scale, scoring, sketch
from curation.core.arrays import Asked, Float32Array, Scaler, squared_distances
from curation.core.pool import Pool

N_PICKS = 100
N_ASKED = 1000


class Run:
    """One world with a trained model: everything a batch needs but the batch."""

    def __init__(self, world: World, *, with_foreign: bool = False, seed: int = 1) -> None:
        self.pool, rng = world.pool, np.random.default_rng(seed)
        self.scaler = Scaler.of(self.pool.sample(rng))
        self.asked, self.asked_X = world.asked(N_ASKED, rng, with_foreign=with_foreign)
        known = self.asked.is_labeled
        model, _ = proxy.fit_cleaned(
            self.scaler(self.asked_X[known]), self.asked.labels[known], self.asked.weights[known], N_CLASSES
        )
        self.model, self.seed = scoring.Linear.of(model, self.scaler), seed

    def choose(self, scores: Float32Array, sizes: tuple[int, int]) -> scale.Chosen:
        """Draw from every shard and choose."""
        return scale.choose(
            sketch.of_pool(self.pool, scores, self.asked.rows, sizes, [self.seed]),
            scaler=self.scaler,
            model=self.model,
            asked=self.asked,
            asked_X=self.asked_X,
            n_picks=N_PICKS,
            rng=np.random.default_rng(self.seed),
        )

    def cold(self) -> scale.Chosen:
        """A first batch: the whole pool is scored."""
        return self.choose(scoring.score(self.pool, self.model), sketch.COLD)

    def later(self, scores: Float32Array) -> scale.Chosen:
        """A later batch: a tenth of the pool is scored anew."""
        fresh = scoring.score_some(self.pool, self.model, scores, np.random.default_rng(self.seed))
        return self.choose(fresh, sketch.NEXT)


def cost(work: Callable[[], Any], runs: int) -> tuple[float, float]:
    """Return the median CPU seconds of some runs, and the peak of what one more allocates, MB."""
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(np.median(seconds)), peak / 1e6


def reading(pool: Pool) -> Callable[[], float]:
    """Return the floor: every feature of the pool read once and summed."""
    return lambda: float(sum(float(block.sum()) for s in range(len(pool.shards)) for _, block in pool.blocks(s)))


def quality(
    X: Float32Array, asked: Asked, sizes: tuple[int, int], seed: int, n_classes: int = N_CLASSES
) -> tuple[float, float]:
    """Return the sketch's and a random batch's gain of the true objective, relative to the exact greedy's."""
    pool, scaler = Pool((X,)), Scaler.of(X)
    S = scaler(X)
    model, _ = proxy.fit_cleaned(S[asked.rows], asked.labels, asked.weights, n_classes)
    linear = scoring.Linear.of(model, scaler)
    u = linear.uncertainty(X).astype(np.float64)
    u[asked.rows] = 0.0
    rng = np.random.default_rng(seed)
    some = S[rng.choice(len(S), min(1000, len(S)), replace=False)]
    median = float(np.median(squared_distances(some, some)[np.triu_indices(len(some), 1)]))
    width = herding.kernel_width(S, asked.rows, median)
    covered = herding.coverage(S, S[asked.rows], width)

    def gain(rows: Any) -> float:
        return float(np.maximum(herding.coverage(S, S[rows], width) - covered, 0) @ u)

    free = np.setdiff1d(np.arange(len(X)), asked.rows)
    exact = _exact(S, u, covered, free, width)
    drawn = sketch.draw(pool, 0, scoring.score(pool, linear), asked.rows, sizes, [seed])
    chosen = scale.choose(
        sketch.merge([drawn], sizes),
        scaler=scaler,
        model=linear,
        asked=asked,
        asked_X=X[asked.rows],
        n_picks=N_PICKS,
        rng=rng,
    )
    by_chance = np.mean([gain(rng.choice(free, N_PICKS, replace=False)) for _ in range(5)])
    return gain(chosen.rows) / gain(exact), float(by_chance / gain(exact))


def _exact(S: Float32Array, u: Any, covered: Float32Array, free: Any, width: float) -> list[int]:
    """Greedy over every candidate and every row, nothing drawn: the reference."""
    kernel = np.exp(-squared_distances(S[free], S) / width)
    covered = covered.copy()
    picked: list[int] = []
    weight = u.astype(np.float32)
    bound = np.full(len(free), np.inf)
    fresh = np.full(len(free), -1)
    while len(picked) < N_PICKS:
        best = int(bound.argmax())
        if fresh[best] == len(picked):
            picked.append(int(free[best]))
            np.maximum(covered, kernel[best], out=covered)
            bound[best] = -np.inf
            continue
        bound[best], fresh[best] = float(np.maximum(kernel[best] - covered, 0) @ weight), len(picked)
    return picked
