"""Branches: at points along the engine's own runs, what each arm's next batches bring on a test set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.selection import mess, ours, pools
from benchmarks.selection.play import Bench
from curation.core import circumstances
from curation.core.arrays import Asked, IntArray
from curation.core.problem import Problem

ARMS = ("auto", "max_herding", "margin", "badge", "typiclust")
ROUNDS = (0, 1, 2, 3, 5, 8, 12, 16)
N_BATCHES = 2
LEAST = 0.02


@dataclass(frozen=True, slots=True)
class Branch:
    """One point of one run: where it stood, and the log loss on the test set after each arm's next batches."""

    pool: str
    setting: str
    seed: int
    round: int
    circumstances: list[float]
    growth: float
    loss_before: float
    loss_after: dict[str, float]
    accuracy_after: dict[str, float]


def grow(name: str, setting: str, seed: int, folder: Path | None) -> Iterator[Branch]:
    """Yield the branches of one run."""
    bench = Bench(mess.make(pools.load(name, seed, folder), mess.SETTINGS[setting], seed), seed)
    problem = bench.problem(Asked.nothing(), is_cleaned=True, has_anchor=False)
    for number in range(ROUNDS[-1] + 1):
        if number in ROUNDS:
            ends = {arm: _played(bench, problem, arm, number) for arm in ARMS}
            n = len(problem.asked.rows)
            yield Branch(
                name,
                setting,
                seed,
                number,
                circumstances.of(problem).tolist(),
                float(np.log((n + N_BATCHES * bench.batch) / max(n, bench.batch))),
                loss(bench, problem),
                {arm: loss(bench, end) for arm, end in ends.items()},
                {arm: accuracy(bench, end) for arm, end in ends.items()},
            )
        problem = _next(bench, problem, "auto", number)


def _played(bench: Bench, problem: Problem, arm: str, number: int) -> Problem:
    for at in range(N_BATCHES):
        problem = _next(bench, problem, arm, number + at)
    return problem


def _next(bench: Bench, problem: Problem, arm: str, number: int) -> Problem:
    rows = ours.chooser(arm)(problem, bench.batch, np.random.default_rng([bench.seed, number]))
    return bench.problem(bench.answered(problem.asked, rows), is_cleaned=True, has_anchor=False)


def loss(bench: Bench, problem: Problem) -> float:
    """Return the mean log loss on the test set, no record's above -log .02."""
    proba = problem.model.proba(bench.test)
    return float(-np.log(np.maximum(proba[np.arange(len(proba)), bench.pool.y_test], LEAST)).mean())


def accuracy(bench: Bench, problem: Problem) -> float:
    """Return the accuracy on the test set as a share of the reference."""
    right: IntArray = problem.model.proba(bench.test).argmax(axis=1)
    return float((right == bench.pool.y_test).mean()) / bench.reference
