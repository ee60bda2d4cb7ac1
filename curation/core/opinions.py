"""How a round's money is split: between records never asked before, and further opinions on those that were."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import herding, joint
from curation.core.arrays import BoolArray, FloatArray, IntArray
from curation.core.problem import Problem

MOST_AGAIN: Final = 0.5
"""Share of a round's money that further opinions may take: what is believed of vendors may be wrong, and only new
records show what nobody has asked about."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A round: how many new records, which asked ones get another opinion (places in ``asked``), and of whom."""

    n_new: int
    places: IntArray
    vendors: IntArray


def plan(
    problem: Problem, *, prices: FloatArray, is_open: BoolArray, may_answer: BoolArray, overlap: int, n_records: int
) -> Plan:
    """Return how to spend what a round of new records would cost.

    Parameters
    ----------
    problem
        Pool and answers; who said what has to be in it (``said``), else all money goes to new records.
    prices
        Price of an answer by vendor, shape (V,), > 0.
    is_open
        Which of the asked records may get another opinion, shape (a,).
    may_answer
        Which vendors can be asked now, shape (V,).
    overlap
        Answers that a new record is bought with, >= 1.
    n_records
        Records of a round without further opinions, >= 1.

    Notes
    -----
    Values and costs are those of :func:`curation.core.joint.decide`; the new records themselves are chosen by the
    experiment's own strategy, as many as the money left is worth. At least one is.
    """
    nothing = Plan(n_records, np.empty(0, np.int64), np.empty(0, np.int64))
    believed, said = problem.inferred, problem.said
    if believed is None or said is None or not problem.has_model or not may_answer.any():
        return nothing
    able = np.flatnonzero(may_answer)
    asked_of = np.zeros((len(problem.asked.rows), len(prices)), dtype=np.bool_)
    asked_of[said.answers.record, said.answers.vendor] = True
    budget = n_records * overlap * float(np.median(prices[able]))
    state = joint.State(
        X=problem.scaled,
        weights=_wanted(problem),
        proba=problem.proba,
        rows=problem.asked.rows,
        belief=believed.posterior,
        is_open=is_open & ~asked_of[:, able].all(axis=1),
        asked_of=asked_of[:, able],
        confusion=believed.confusion[able],
        prices=prices[able],
        overlap=overlap,
    )
    bought = joint.decide(
        state,
        allowed=problem.allowed,
        group=problem.group,
        width=herding.kernel_width(problem.scaled, problem.asked.rows, problem.median_distance),
        budget=budget,
        rng=problem.rng(20),
    )
    place_of = {int(row): place for place, row in enumerate(problem.asked.rows)}
    again: list[tuple[int, int]] = []
    spent = 0.0
    for action in bought:
        price = float(state.prices[action.vendor])
        if not action.is_new and spent + price <= MOST_AGAIN * budget:
            again.append((place_of[action.row], int(able[action.vendor])))
            spent += price
    n_new = max(1, round(n_records * (1 - spent / budget)))
    return Plan(n_new, *np.array(again, dtype=np.int64).reshape(-1, 2).T)


def _wanted(problem: Problem) -> FloatArray:
    """Return how much each record of the pool wants to be covered, shape (n,): unsure, in scope, and not asked."""
    weights = problem.uncertainty * problem.relevance.proba
    weights[problem.asked.rows] = 0.0
    return weights
