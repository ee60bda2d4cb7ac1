"""Spans: each character votes, runs of the winning class become spans again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import weights

Span = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ConsensusSpan:
    """One span with the mean weight of the annotators who agree on its characters."""

    class_index: int
    start: int
    end: int
    confidence: float


def consensus(
    answers: Sequence[Sequence[Span]], length: int, n_classes: int, skills: Sequence[float] | None = None
) -> list[ConsensusSpan]:
    """Return the spans of one text, in order of start, without overlaps.

    Parameters
    ----------
    answers
        Per annotator the canonical spans; overlapping spans of one annotator share their characters evenly.
    length
        Characters of the text.

    Raises
    ------
    ValueError
        When a span ends past the text or names a class outside the list.

    Notes
    -----
    A character belongs to a class when that outweighs "none" and every other class. Two neighbouring spans of one class
    stay apart where most of the weight starts a new span. O(annotators x length).
    """
    share = weights.of_skills(skills, len(answers))
    votes, starts = _votes(answers, share, length, n_classes)
    winner = votes.argmax(axis=1)  # (length,), the last column is "none"
    found = []
    segment = np.cumsum((np.diff(winner, prepend=-1) != 0) | (starts > 0.5))  # (length,)
    for _, run in groupby(range(length), key=lambda at: int(segment[at])):
        places = list(run)
        best = int(winner[places[0]])
        if best < n_classes:
            confidence = float(votes[places, best].mean())
            found.append(ConsensusSpan(best, places[0], places[-1] + 1, confidence))
    return found


def _votes(
    answers: Sequence[Sequence[Span]], share: FloatArray, length: int, n_classes: int
) -> tuple[FloatArray, FloatArray]:
    """Return weights at [character, class or none] and the weight that starts a span at each character."""
    votes, starts = np.zeros((length, n_classes + 1)), np.zeros(length)
    for spans, weight in zip(answers, share, strict=True):
        own = np.zeros((length, n_classes + 1))
        for span in spans:
            if not (0 <= span["start"] < span["end"] <= length and 0 <= span["class"] < n_classes):
                raise ValueError(f"span {dict(span)} does not fit {length} characters and {n_classes} classes")
            own[span["start"] : span["end"], span["class"]] = 1
        starts[sorted({span["start"] for span in spans})] += weight
        own[:, -1] = own.sum(axis=1) == 0
        votes += weight * own / own.sum(axis=1, keepdims=True)
    return votes, starts


def f1(first: Sequence[Span], second: Sequence[Span]) -> float:
    """Return agreement of two annotators on a text: F1 of (character, class) pairs; 1 when both mark nothing."""
    marked = [
        {(at, span["class"]) for span in spans for at in range(span["start"], span["end"])} for spans in (first, second)
    ]
    total = len(marked[0]) + len(marked[1])
    return 2 * len(marked[0] & marked[1]) / total if total else 1.0
