"""What was passed over in a batch, and why, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.core.arrays import BoolArray, IntArray
from curation.core.problem import Problem
from curation.core.reasons import Pick

UNLIKELY = 0.5
"""Chance of being labelable below which a record is told to have been put behind others."""


@dataclass(frozen=True, eq=False)
class Skipped:
    """A group of records that was passed over: its rows, the row it is told by (or None), and why."""

    rows: IntArray
    because_of: int | None
    words: str


def explain(problem: Problem, picks: Sequence[Pick]) -> list[Skipped]:
    """Return the groups passed over, largest first within each kind of reason.

    Notes
    -----
    O(n log n). A record is told of once: as a near copy of an asked record, of a picked one, or as
    probably not labelable.
    """
    open_ = np.ones(len(problem.X), dtype=np.bool_)
    chosen = np.array([pick.row for pick in picks], dtype=np.int64)
    open_[problem.asked.rows] = False
    open_[chosen] = False
    told: list[Skipped] = []
    told += _copies(problem, problem.asked.rows, open_, "Near copies of a record that was asked before.")
    told += _copies(problem, chosen, open_, "Near copies of a record in this batch.")
    doubtful = np.flatnonzero(open_ & (problem.relevance.proba < UNLIKELY))
    if len(doubtful):
        words = f"Probably cannot be labeled (less than {UNLIKELY:.0%} likely), so put behind others."
        told.append(Skipped(doubtful, None, words))
    return told


def _copies(problem: Problem, of: IntArray, open_: BoolArray, words: str) -> list[Skipped]:
    """Return the open members of the groups of some rows, and close them."""
    found = []
    if len(of):
        first = {int(problem.group[row]): int(row) for row in of[::-1]}
        members = np.flatnonzero(open_ & np.isin(problem.group, list(first)))
        order = members[np.argsort(problem.group[members], kind="stable")]
        for rows in np.split(order, np.flatnonzero(np.diff(problem.group[order])) + 1):
            if len(rows):
                found.append(Skipped(rows, first[int(problem.group[rows[0]])], words))
        open_[members] = False
    return sorted(found, key=lambda group: (-len(group.rows), group.rows[0]))
