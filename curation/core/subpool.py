"""What is chosen from a large pool, and parts of it that are small enough to compare all their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from curation.core import portfolio, selection, sketch
from curation.core.arrays import Asked, Float32Array, FloatArray, IntArray, check_proba, check_utility
from curation.core.composition import Composition
from curation.core.pool import Pool
from curation.core.portfolio import Turn
from curation.core.problem import Problem, Said
from curation.core.reasons import Pick
from curation.core.selection import Control


@dataclass(frozen=True, eq=False)
class Task:
    """What is chosen from, for, and how; as in :class:`~curation.core.problem.Problem` and `selection.mix`."""

    pool: Pool
    asked: Asked
    n_classes: int
    rules: Sequence[selection.Rule]
    n_picks: int
    control_ratio: float
    seed: int
    anchor: Float32Array | None = None
    anchor_labels: IntArray | None = None
    given_proba: FloatArray | None = None
    utility: FloatArray | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    composition: Composition | None = None
    class_names: Sequence[str] = ()
    said: Said | None = None
    turns: Sequence[Turn] = ()
    trusts_anchor: bool = False

    def __post_init__(self) -> None:
        if self.given_proba is not None:
            check_proba(self.given_proba, len(self.pool), self.n_classes)
        if self.utility is not None:
            check_utility(self.utility, len(self.pool))


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a large pool as a problem of their own, with the control picks that were drawn from all.

    Attributes
    ----------
    problem
        Its row ``i`` is row ``rows[i]`` of the pool, rising.
    control
        Places of the control picks in ``rows``, and the chance that each row of the pool had.
    """

    problem: Problem
    rows: IntArray
    control: Control

    def back(self, picks: Sequence[Pick]) -> list[Pick]:
        """Return picks of the problem as picks of the pool."""
        return [replace(pick, row=int(self.rows[pick.row])) for pick in picks]


def part(task: Task, needed: IntArray) -> Part:
    """Return a part of the pool with some rows in it, for a choice among them alone; control picks are of all rows."""
    rng = np.random.default_rng([task.seed, len(task.asked.rows)])
    return part_around(task, needed, draw_control(task, rng), rng)


def around(task: Task, picks: Sequence[Pick]) -> tuple[Problem, IntArray]:
    """Return a problem small enough to look at closely: what was asked, the picks and rows drawn at random from all.

    Returns
    -------
    problem, rows
        Row ``i`` of the problem is row ``rows[i]`` of the pool, rising.
    """
    rng = np.random.default_rng([task.seed, 1])
    some = rng.choice(len(task.pool), min(sketch.COLD[1], len(task.pool)), replace=False)
    rows = np.unique(np.concatenate([some, task.asked.rows, [pick.row for pick in picks]])).astype(np.int64)
    return problem_of(task, rows), rows


def draw_control(task: Task, rng: np.random.Generator) -> Control:
    """Return rows drawn uniformly from those never asked, and the chance each of them had."""
    n, asked, count = len(task.pool), task.asked.rows, round(task.n_picks * task.control_ratio)
    drawn = np.setdiff1d(rng.choice(n, min(count + len(asked), n), replace=False), asked, assume_unique=True)
    chosen = np.sort(rng.permutation(drawn)[:count])
    return chosen.astype(np.int64), len(chosen) / max(n - len(asked), 1)


def problem_of(task: Task, rows: IntArray) -> Problem:
    """Return some rows of the pool, rising, what was asked among them, as a problem of their own."""
    return Problem(
        task.pool.rows(rows),
        replace(task.asked, rows=np.searchsorted(rows, task.asked.rows)),
        task.n_classes,
        anchor=task.anchor,
        anchor_labels=task.anchor_labels,
        seed=task.seed,
        given_proba=None if task.given_proba is None else task.given_proba[rows],
        utility=None if task.utility is None else task.utility[rows],
        metadata={name: np.asarray(values)[rows] for name, values in task.metadata.items()},
        composition=task.composition,
        class_names=task.class_names,
        said=task.said,
        turns=portfolio.among(task.turns, rows),
        trusts_anchor=task.trusts_anchor,
    )


def part_around(task: Task, needed: IntArray, control: Control, rng: np.random.Generator) -> Part:
    """Return rows that are needed, with what was asked, the control picks and as many at random as a sketch has."""
    some = rng.choice(len(task.pool), min(sketch.COLD[0], len(task.pool)), replace=False)
    rows = np.unique(np.concatenate([needed, some, task.asked.rows, control[0]])).astype(np.int64)
    return Part(problem_of(task, rows), rows, (np.searchsorted(rows, control[0]), control[1]))
