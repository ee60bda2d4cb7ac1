"""Our strategies as the benchmark asks them: without control picks and words, filled up as the product does."""

from dataclasses import replace

import numpy as np

from benchmarks.selection.cells import REFERENCE
from benchmarks.selection.mess import COPY, UNIQUE, Messy
from benchmarks.selection.play import Chooser, unasked
from curation.core import strategies
from curation.core.arrays import IntArray
from curation.core.problem import Problem

LEFT_OUT = {"herding", "metadata_weighted", "utility"}
"""Another name of the engine; two that need a wish or a utility to be ones of their own."""


def names() -> list[str]:
    """Return the strategies compared."""
    return [name for name in strategies.names() if name not in LEFT_OUT]


def chooser(name: str) -> Chooser:
    """Return one of ours as a chooser; without a model, coverage picks, as in the product."""
    strategy = strategies.get(name)

    def choose(problem: Problem, n_picks: int, rng: np.random.Generator) -> IntArray:
        used = strategies.get("coverage") if strategy.needs_model and not problem.has_model else strategy
        free = np.zeros(len(problem.X), dtype=np.bool_)
        free[unasked(problem)] = True
        rows = used.choose(problem, free & problem.allowed if used.keeps_groups else free, n_picks, rng).rows
        free[rows] = False
        return np.concatenate([rows, rng.permutation(np.flatnonzero(free))[: n_picks - len(rows)]])

    return choose


def all_knowing(pool: Messy) -> Chooser:
    """Return the reference that knows which records are junk: it neither picks them nor wants them covered."""
    is_good = np.isin(pool.kind, (UNIQUE, COPY))
    reference = strategies.get(REFERENCE)

    def choose(problem: Problem, n_picks: int, rng: np.random.Generator) -> IntArray:
        allowed = is_good & problem.allowed
        allowed[problem.asked.rows] = False
        knowing = replace(problem)
        knowing.__dict__.update(problem.__dict__ | {"uncertainty": problem.uncertainty * is_good})
        rows = reference.choose(knowing, allowed, n_picks, rng).rows
        rest = rng.permutation(np.setdiff1d(unasked(problem), rows))
        rest = rest[np.argsort(~is_good[rest], kind="stable")]  # near copies before junk
        return np.concatenate([rows, rest[: n_picks - len(rows)]])

    return choose
