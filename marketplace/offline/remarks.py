"""What a person should know before trusting the result: each remark says what was done about it."""

from collections.abc import Iterator

import numpy as np

from marketplace.core import agreement
from marketplace.core.aggregation import Aggregation
from marketplace.offline.inputs import Table

LEAST_RECORDS = 20
"""Records with company below which agreement proves nothing."""
SHOWN_NAMES = 5


def of(table: Table, result: Aggregation) -> list[str]:
    """Return the remarks, the gravest first."""
    return [
        *_about_overlap(table),
        *_about_agreement(table, result),
        *_about_people(table, result),
        *_about_input(table),
    ]


def _about_overlap(table: Table) -> Iterator[str]:
    answers = table.answers
    if answers.n_annotators == 1:
        yield "One annotator only: nobody to compare with, so confidences are what is assumed of an unknown annotator."
    elif not (answers.per_task >= 2).any():
        yield "No record has two answers: confidences are what is assumed of unknown annotators. Buy overlap or gold."
    if answers.n_classes == 1:
        yield "One class only: every label is certain and means nothing. Name the classes with --classes."
    n_empty = int((answers.per_task == 0).sum())
    if n_empty:
        yield f"{n_empty} records have no answers: they carry the commonest class at the confidence of a guess."


def _about_agreement(table: Table, result: Aggregation) -> Iterator[str]:
    alpha = agreement.krippendorff_alpha(table.answers)
    if alpha.n_records >= LEAST_RECORDS and table.answers.n_classes > 1 and alpha.low <= 0:
        yield (
            f"Agreement is no better than chance (alpha {alpha.value:.2f}, at most {alpha.high:.2f}): all annotators "
            "may be guessing. Do not use these labels without gold."
        )
    if table.gold and result.threshold < 1:
        yield "The gold contradicts the crowd: confidences were lowered for the whole job."


def _about_people(table: Table, result: Aggregation) -> Iterator[str]:
    if result.clique is not None:
        numbers, counts = np.unique(result.clique, return_counts=True)
        for number in numbers[counts > 1]:
            who = _names(table, np.flatnonzero(result.clique == number).tolist())
            yield f"{who} copy each other: their answers count as one."
    if result.changes:
        names = _names(table, [change.annotator for change in result.changes])
        yield f"{names} changed over time: skills are as of now, earlier answers are judged apart."


def _names(table: Table, people: list[int]) -> str:
    shown = ", ".join(table.annotators[person] for person in people[:SHOWN_NAMES])
    return shown + (f" and {len(people) - SHOWN_NAMES} others" if len(people) > SHOWN_NAMES else "")


def _about_input(table: Table) -> Iterator[str]:
    given = set(np.unique(table.answers.label).tolist())
    unseen = sorted({table.classes[label] for label in table.gold.values() if label not in given})
    if unseen:
        yield f"Gold names classes that nobody gave: {', '.join(unseen[:SHOWN_NAMES])}. A misspelling?"
    if table.n_untimed:
        yield f"{table.n_untimed} answers have no time: times were not used."
    if table.n_replaced:
        yield f"{table.n_replaced} answers were replaced by a later answer of the same person on the same record."
