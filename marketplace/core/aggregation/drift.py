"""Annotators who change: one change point each, found in the order of their answers.

An annotator who changed counts as two: the one of today keeps the index, the earlier one gets a new index behind all
others. So every table by annotator describes people as they are now.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation import em
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known

LEAST_ANSWERS = 15
"""Answers with company that each side of a change must have."""
LEAST_EVIDENCE = 3.0
"""Nats by which a change must be the better explanation, the choice of its place paid for."""
WIDTH = 0.3
"""Standard deviation, before looking, of the change in an annotator's accuracy."""


@dataclass(frozen=True, slots=True)
class Change:
    """An annotator whose accuracy changed: the time of the last answer before it, and the shift (after less before)."""

    annotator: int
    at: float
    shift: float


def find(answers: Answers, known: Known, posterior: FloatArray) -> list[Change]:
    """Return the change of each annotator who changed, by index.

    Parameters
    ----------
    posterior
        Belief about the records, shape (n_tasks, n_classes).

    Notes
    -----
    What counts is rightness beyond the annotator's own rate in the believed class: who is merely worse at some classes,
    met later, has not changed. O(answers log answers). Answers of one time stand together on one side.
    """
    if answers.at is None:
        return []
    taught = np.flatnonzero(known.is_taught[answers.task])
    taught = taught[np.lexsort((answers.at[taught], answers.annotator[taught]))]
    task, person = answers.task[taught], answers.annotator[taught]
    chance = (posterior[task] * _rates(answers, known, posterior)[person]).sum(axis=1)
    surplus = posterior[task, answers.label[taught]] - chance
    ends = np.searchsorted(person, np.arange(answers.n_annotators + 1))
    found = []
    for index in np.flatnonzero(np.diff(ends) >= 2 * LEAST_ANSWERS):
        part = slice(ends[index], ends[index + 1])
        change = _change(surplus[part], chance[part] * (1 - chance[part]), answers.at[taught[part]])
        if change is not None:
            found.append(Change(int(index), *change))
    return found


def _rates(answers: Answers, known: Known, posterior: FloatArray) -> FloatArray:
    """Return each annotator's rate of right answers by believed class, shape (n_annotators, n_classes)."""
    counts = em.taught_counts(answers, known, posterior)  # (J, given, true)
    right, total = np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=1)
    overall = (right.sum(axis=1, keepdims=True) + 1) / (total.sum(axis=1, keepdims=True) + 2)
    return np.asarray((right + 2 * overall) / (total + 2))


def _change(surplus: FloatArray, variance: FloatArray, at: FloatArray) -> tuple[float, float] | None:
    """Return time and shift of the best cut when it is evident, from surplus rightness in the order of time."""
    n = len(surplus)
    before = np.arange(LEAST_ANSWERS, n - LEAST_ANSWERS + 1)
    before = before[at[before] > at[before - 1]]
    if not len(before):
        return None
    total, spread = np.cumsum(surplus), float(variance.sum() + 1) / n
    shift = (total[-1] - total[before - 1]) / (n - before) - total[before - 1] / before
    noise = spread * (1 / before + 1 / (n - before))
    evidence = 0.5 * (shift**2 / noise - shift**2 / (noise + WIDTH**2) + np.log(noise / (noise + WIDTH**2)))
    best = int(np.argmax(evidence))
    if np.logaddexp.reduce(evidence) - np.log(len(before)) < LEAST_EVIDENCE:
        return None
    return float(at[before[best] - 1]), float(shift[best])


def split(answers: Answers, changes: list[Change]) -> Answers:
    """Return the answers with each changed annotator's earlier ones under an index of their own."""
    if answers.at is None or not changes:
        return answers
    until = np.full(answers.n_annotators, -np.inf)
    earlier: npt.NDArray[np.int32] = np.arange(answers.n_annotators, dtype=np.int32)
    for number, change in enumerate(changes):
        until[change.annotator] = change.at
        earlier[change.annotator] = answers.n_annotators + number
    is_early = answers.at <= until[answers.annotator]
    annotator = np.where(is_early, earlier[answers.annotator], answers.annotator)
    return replace(answers, annotator=annotator, n_annotators=answers.n_annotators + len(changes))
