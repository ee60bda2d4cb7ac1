"""Portfolios as the selection benchmark plays strategies: each keeps its turns as the product's tables would."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.portfolio.branches import ARMS
from benchmarks.selection.play import unasked
from curation.core import circumstances
from curation.core.arrays import IntArray
from curation.core.past_runs import Table
from curation.core.portfolio import Turn
from curation.core.problem import Problem
from curation.core.strategies import drawing


@dataclass(slots=True)
class Player:
    """A portfolio with one table of past runs, playing one run."""

    table: Table
    boldness: float
    turns: list[Turn] = field(default_factory=list)

    def __call__(self, problem: Problem, n_picks: int, rng: np.random.Generator) -> IntArray:
        """Return the next batch, filled at random as the product does."""
        problem.__dict__["turns"] = self.turns
        self.turns = problem.__dict__["turns"] = drawing.judged(problem)
        free = np.zeros(len(problem.X), dtype=np.bool_)
        free[unasked(problem)] = True
        scored = drawing.draw(problem, free & problem.allowed, n_picks, rng, self.table, boldness=self.boldness)
        free[scored.rows] = False
        rows = np.concatenate([scored.rows, rng.permutation(np.flatnonzero(free))[: n_picks - len(scored.rows)]])
        chance, expected = scored.kept[drawing.PROBABILITY], scored.kept[drawing.EXPECTED]
        self.turns.append(Turn(scored.arm, chance, expected, rows))
        return rows


def cold(spread: float) -> Table:
    """Return the table of somebody who has seen no runs: every arm is expected to add the same."""
    n = len(circumstances.NAMES)
    zeros, ones = (0.0,) * n, (1.0,) * n
    return Table(
        ARMS, circumstances.NAMES, zeros, ones, (0.0,) * len(ARMS), (zeros,) * len(ARMS), (spread,) * len(ARMS)
    )
