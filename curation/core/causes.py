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
    Cause.OUT_OF_SCOPE: (2.52, -0.64, -1.88, 0.28, -1.49, 1.99, 0.63, -0.93, 0.48),
    Cause.AMBIGUOUS: (-1.11, -11.81, -1.41, 0.40, -2.38, 1.66, 4.37, 0.01, -3.23),
    Cause.NOVEL: (-0.36, -2.75, 6.35, -1.70, -1.79, 0.98, 3.70, -1.45, 1.41),
    Cause.CORRUPTED: (0.59, 10.91, -1.63, 0.32, 1.79, 1.10, -1.18, -2.63, 3.85),
    Cause.LABEL_CONFLICT: (-0.74, -2.72, -1.27, 0.71, -2.22, 1.31, -9.50, 0.02, -0.20),
    Cause.CAPACITY: (-0.90, 7.00, -0.16, -0.02, 6.09, -7.04, 1.98, 4.99, -2.31),
}
_INTERCEPTS: Final[dict[Cause, float]] = {
    Cause.OUT_OF_SCOPE: 4.44,
    Cause.AMBIGUOUS: 1.89,
    Cause.NOVEL: 1.97,
    Cause.CORRUPTED: -8.23,
    Cause.LABEL_CONFLICT: 1.96,
    Cause.CAPACITY: -2.03,
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
