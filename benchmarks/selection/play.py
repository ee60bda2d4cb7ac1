"""One cell: one strategy on one pool, setting and seed, round by round, with the same classifier and start for all."""

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

import numpy as np

from benchmarks.selection.mess import COPY, DAMAGED, FOREIGN, Messy
from curation.core import proxy
from curation.core.arrays import Asked, IntArray
from curation.core.problem import Problem

N_ROUNDS = 20
TO_REACH = 0.95

Chooser = Callable[[Problem, int, np.random.Generator], IntArray]
"""Takes the problem as it stands, how many to pick and a generator; returns that many rows that were not asked."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Accuracy on the test set after each round, the reference with all labels, what was bought, CPU seconds."""

    accuracy: list[float]
    reference: float
    batch: int
    junk: float
    copies: float
    n_lost_classes: int
    cpu_s: float

    @property
    def aulc(self) -> float:
        """Mean accuracy over the rounds as a share of the reference."""
        return float(np.mean(self.accuracy)) / self.reference

    @property
    def labels_to_reach(self) -> int:
        """Records asked when 95 % of the reference is reached for the first time; one batch more than all if never."""
        good = [at for at, value in enumerate(self.accuracy) if value >= TO_REACH * self.reference]
        return (good[0] + 1 if good else len(self.accuracy) + 1) * self.batch


class Bench:
    """A messy pool with what does not change from round to round worked out once."""

    def __init__(self, pool: Messy, seed: int) -> None:
        self.pool, self.seed = pool, seed
        self.batch = int(np.clip(2 * pool.n_classes, 10, 40))
        first = Problem(pool.X, Asked.nothing(), pool.n_classes, seed=seed)
        self.kept = {
            name: getattr(first, name) for name in ("scale", "scaled", "group", "median_distance", "unusual", "graph")
        }
        self.test = first.scale(pool.X_test)
        full = proxy.fit(first.scale(pool.X_full), pool.y_full, np.ones(len(pool.y_full)), pool.n_classes)
        self.reference = float((full.proba(self.test).argmax(axis=1) == pool.y_test).mean())

    def problem(self, asked: Asked, *, is_cleaned: bool, has_anchor: bool) -> Problem:
        """Return the problem as it stands."""
        anchor = self.pool.anchor if has_anchor else None
        problem = Problem(self.pool.X, asked, self.pool.n_classes, anchor, seed=self.seed)
        problem.__dict__.update(self.kept)
        problem.__dict__["is_cleaned"] = is_cleaned
        if not is_cleaned:
            problem.__dict__["model"] = proxy.fit(*problem.training_set, self.pool.n_classes)
        return problem

    def play(self, choose: Chooser, *, is_cleaned: bool, has_anchor: bool = False) -> Outcome:
        """Play all rounds."""
        started, spent = process_time(), 0.0
        asked, accuracy = Asked.nothing(), []
        problem = self.problem(asked, is_cleaned=is_cleaned, has_anchor=has_anchor)
        for number in range(min(N_ROUNDS, (len(self.pool.X) - 1) // self.batch)):
            started = process_time()
            rows = choose(problem, self.batch, np.random.default_rng([self.seed, number]))
            spent += process_time() - started
            if len(rows) != self.batch or len(np.unique(np.concatenate([rows, asked.rows]))) < len(rows) + len(
                asked.rows
            ):
                raise ValueError(f"{len(rows)} rows came for a batch of {self.batch}, or one a second time")
            asked = self.answered(asked, rows)
            problem = self.problem(asked, is_cleaned=is_cleaned, has_anchor=has_anchor)
            accuracy.append(self._accuracy(problem))
        kinds = self.pool.kind[asked.rows]
        lost = np.setdiff1d(np.unique(self.pool.y_test), problem.model.proba(self.test).argmax(axis=1))
        return Outcome(
            accuracy,
            self.reference,
            self.batch,
            float(np.isin(kinds, (FOREIGN, DAMAGED)).mean()),
            float((kinds == COPY).mean()),
            len(lost),
            round(spent, 3),
        )

    def answered(self, asked: Asked, rows: IntArray) -> Asked:
        """Return what is known once rows came back."""
        return Asked(
            np.concatenate([asked.rows, rows]),
            np.concatenate([asked.labels, self.pool.answer[rows]]),
            np.ones(len(asked.rows) + len(rows)),
        )

    def _accuracy(self, problem: Problem) -> float:
        return float((problem.model.proba(self.test).argmax(axis=1) == self.pool.y_test).mean())


def unasked(problem: Problem) -> IntArray:
    """Return the rows not asked yet."""
    return np.flatnonzero(~np.isin(np.arange(len(problem.X)), problem.asked.rows))
