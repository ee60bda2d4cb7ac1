"""Why the model is confused by a record: six causes told apart by what lies around it, each with a way out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from curation.core.arrays import FloatArray, IntArray
from curation.core.problem import Problem
from curation.core.surroundings import Around, around, known

UNSURE: Final = 0.5
"""Margin uncertainty from which a record counts as confusing."""
LEAST_LABELS: Final = 20
"""Labels below which nothing is said: the model has seen too little for its doubts to have causes."""


class Cause(StrEnum):
    """Why a record confuses the model."""

    OUT_OF_SCOPE = "out_of_scope"
    AMBIGUOUS = "ambiguous"
    NOVEL = "novel"
    CORRUPTED = "corrupted"
    LABEL_CONFLICT = "label_conflict"
    CAPACITY = "capacity"


ACTIONS: Final = {
    Cause.OUT_OF_SCOPE: "Leave it out, or say in the instructions what belongs.",
    Cause.AMBIGUOUS: "Ask more annotators, or draw the line between the two classes in the instructions.",
    Cause.NOVEL: "Have it labeled: it stands for records the model knows nothing of.",
    Cause.CORRUPTED: "Look at the file; mend it or leave it out.",
    Cause.LABEL_CONFLICT: "Have the labels around it looked at again.",
    Cause.CAPACITY: "Use a more flexible model or other features; more labels here will not help.",
}
# Multinomial logistic regression on the evidence, learnt on simulated pools: `python -m benchmarks.causes --fit`.
_WEIGHTS: Final[dict[Cause, tuple[float, ...]]] = {
    Cause.OUT_OF_SCOPE: (3.76, -0.87, -1.82, 0.39, -1.51, 2.00, 0.85, -0.91, 0.41),
    Cause.AMBIGUOUS: (-1.65, -11.43, -1.38, 0.36, -2.30, 1.58, 4.23, 0.09, -3.32),
    Cause.NOVEL: (-0.49, -3.00, 6.42, -1.67, -1.97, 0.97, 3.79, -1.46, 1.36),
    Cause.CORRUPTED: (0.79, 10.82, -1.85, 0.29, 1.91, 1.21, -1.24, -2.86, 4.21),
    Cause.LABEL_CONFLICT: (-1.11, -2.64, -1.22, 0.68, -2.25, 1.32, -9.55, 0.06, -0.27),
    Cause.CAPACITY: (-1.29, 7.12, -0.15, -0.04, 6.11, -7.09, 1.91, 5.08, -2.37),
}
_INTERCEPTS: Final[dict[Cause, float]] = {
    Cause.OUT_OF_SCOPE: 6.58,
    Cause.AMBIGUOUS: 1.03,
    Cause.NOVEL: 1.87,
    Cause.CORRUPTED: -8.29,
    Cause.LABEL_CONFLICT: 1.41,
    Cause.CAPACITY: -2.61,
}


@dataclass(frozen=True, eq=False)
class Confusion:
    """A record that confuses the model: why, how sure that is, in words, and the nearest labeled records that show it.

    Attributes
    ----------
    row
        Pool row.
    cause, probability
        The likeliest cause and its probability among the six.
    words
        The cause in words.
    neighbours
        Pool rows of the nearest labeled records, nearest first.
    """

    row: int
    cause: Cause
    probability: float
    words: str
    neighbours: IntArray

    @property
    def action(self) -> str:
        """What to do about it."""
        return ACTIONS[self.cause]


def explain(problem: Problem, rows: IntArray) -> list[Confusion]:
    """Return why each row confuses the model, in the order given.

    Nothing while there are fewer than 20 labels or no class probabilities to be unsure of.

    Parameters
    ----------
    rows
        Pool rows that the model is unsure of, shape (r,), asked or not.

    Notes
    -----
    O(r (a + 4096) d + a^2 d) time for a labeled records (at most 2,000 of them, drawn at random, are looked at): never
    n x n. A cause is what the evidence around a record looks most like, not a proof.
    """
    is_told = problem.has_model and problem.utility is None and problem.n_classes > 1
    if not is_told or not len(rows) or int(known(problem).sum()) < LEAST_LABELS:
        return []
    found = around(problem, rows)
    proba = probabilities(found.evidence)
    causes = list(Cause)
    told = []
    for i, row in enumerate(rows):
        cause = causes[int(proba[i].argmax())]
        words = _words(problem, cause, found, i)
        told.append(Confusion(int(row), cause, float(proba[i].max()), words, found.nearest[i]))
    return told


def most_confusing(problem: Problem, n: int) -> IntArray:
    """Return at most ``n`` rows that the model is unsure of, worst first, near copies once."""
    order = np.argsort(-problem.uncertainty, kind="stable")
    _, first = np.unique(problem.group[order], return_index=True)
    worst = order[np.sort(first)][:n]
    return np.asarray(worst[problem.uncertainty[worst] >= UNSURE])


def probabilities(evidence: FloatArray) -> FloatArray:
    """Return P(cause) by evidence, shape (r, 6), columns in the order of `Cause`."""
    weights = np.array([_WEIGHTS[cause] for cause in Cause])  # (6, 9)
    logits = evidence @ weights.T + np.array([_INTERCEPTS[cause] for cause in Cause])
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _words(problem: Problem, cause: Cause, found: Around, i: int) -> str:
    k = found.labels.shape[1]
    counts = np.bincount(found.labels[i], minlength=problem.n_classes)
    first, second = (int(c) for c in np.argsort(-counts, kind="stable")[:2])
    names = problem.class_names or [f"class {c}" for c in range(problem.n_classes)]
    shares = f"{counts[first]} are {names[first]} and {counts[second]} {names[second]}"
    match cause:
        case Cause.OUT_OF_SCOPE:
            refused = f"of the nearest records asked, {found.n_refused[i]} could not be labeled"
            return f"It seems to belong to no class: {refused}."
        case Cause.AMBIGUOUS:
            return f"It lies between two classes: of the {k} nearest labeled records, {shares}."
        case Cause.NOVEL:
            times = float(np.exp(found.evidence[i, 2]))
            return f"Nothing like it has been labeled: labels are {times:.1f} times as far from it as usual."
        case Cause.CORRUPTED:
            return "It is unlike every other record: damaged, empty, or of another make."
        case Cause.LABEL_CONFLICT:
            return (
                f"The labels around it contradict each other: of the {k} nearest, {shares}, with no line between them."
            )
    return f"Its neighbours agree ({counts[first]} of {k} are {names[first]}), but the model cannot follow them."
