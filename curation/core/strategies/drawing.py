"""A bandit over a few strategies: each round one of them is drawn, with a chance that past runs and this one decide."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from curation.core import circumstances, past_runs, portfolio
from curation.core.arrays import BoolArray
from curation.core.past_runs import Table
from curation.core.portfolio import Arms, Turn
from curation.core.problem import Problem
from curation.core.reasons import Pick
from curation.core.strategies.registry import Scored, get, register

NAME = "portfolio"
PROBABILITY, EXPECTED = "arm_probability", "arm_expected"
"""What is kept with each pick of a turn: the chance its arm had, and what the prior expected of it."""


@register(NAME)
def portfolio_of_arms(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The whole share of the batch by one arm, drawn from what past runs and the rounds so far tell."""
    return draw(problem, allowed, n_picks, rng, past_runs.SHIPPED)


def draw(
    problem: Problem,
    allowed: BoolArray,
    n_picks: int,
    rng: np.random.Generator,
    table: Table,
    *,
    boldness: float = portfolio.BOLDNESS,
) -> Scored:
    """Let one arm choose, drawn with known chances; arms that need a model wait for one.

    What earlier turns brought is worked out from the labels, so that a round chosen again after a crash is the same.
    """
    arms = arms_of(problem, table)
    turns = judged(problem)
    chances = portfolio.chances(arms, turns, rng, boldness=boldness)
    at = int(rng.choice(len(chances), p=chances))
    scored = get(arms.names[at]).choose(problem, allowed, n_picks, rng)
    kept = {PROBABILITY: float(chances[at]), EXPECTED: float(arms.expected[at])}
    words = f"Chosen by {arms.names[at]}, drawn at a chance of {chances[at]:.0%}. "
    return replace(scored, arm=arms.names[at], kept=kept, words=words)


def arms_of(problem: Problem, table: Table) -> Arms:
    """Return the arms that can choose now, with what past runs expect of each in these circumstances."""
    arms = table.arms(circumstances.of(problem))
    able = np.array([problem.has_model or not get(name).needs_model for name in arms.names])
    names = tuple(name for name, can in zip(arms.names, able, strict=True) if can)
    return Arms(names, arms.expected[able], arms.spread[able])


def judged(problem: Problem) -> list[Turn]:
    """Return the turns that an answer came back for, each with what it brought."""
    answered = problem.asked.answered.rows
    later = np.concatenate([np.empty(0, np.int64), *(turn.rows for turn in problem.turns)])
    X, y, weights = problem.training_set
    rows = np.full(len(y), -1, dtype=np.int64)  # anchors come first, then what was asked
    labeled = problem.asked.rows[problem.asked.is_labeled]
    rows[len(y) - len(labeled) :] = labeled
    found = []
    for turn in problem.turns:
        later = later[len(turn.rows) :]
        n_paid = int(np.isin(turn.rows, answered).sum())
        brought = turn.reward
        if brought is None and n_paid:
            there = ~np.isin(rows, later)
            brought = portfolio.reward(
                X[there],
                y[there],
                weights[there],
                np.isin(rows[there], turn.rows),
                n_before=int((~np.isin(answered, later)).sum()) - n_paid,
                n_paid=n_paid,
                n_classes=problem.n_classes,
            )
        if brought is not None:
            found.append(replace(turn, reward=brought))
    return found


def turns_of(rounds: Sequence[Sequence[Pick]]) -> list[Turn]:
    """Return the turns among rounds of picks, in order; all that a round asked for belongs to its turn."""
    found = []
    for picks in rounds:
        parts: dict[str, float] = next((pick.parts for pick in picks if PROBABILITY in pick.parts), {})
        if parts:
            arm = next(pick.arm for pick in picks if PROBABILITY in pick.parts)
            rows = np.array([pick.row for pick in picks], dtype=np.int64)
            found.append(Turn(arm, parts[PROBABILITY], parts[EXPECTED], rows))
    return found
