"""The answers of a job or of the market as histories that rules are held against."""

import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from django.db.models import Q, QuerySet

from marketplace.core.rules import History, join
from marketplace.core.states import AnnotationState, RecordState
from marketplace.models import Annotation

MAX_ANSWERS: Final = 200_000
"""Newest answers looked at; older ones are left out."""


class Subject(NamedTuple):
    """An annotator of a vendor; the annotator is empty where all of a vendor's answers are meant."""

    vendor_id: uuid.UUID
    annotator: str


class _Row(NamedTuple):
    pk: uuid.UUID
    at: float
    subject: Subject
    task: uuid.UUID
    label: int
    truth: int | None
    is_gold: bool
    seconds: float | None


@dataclass(frozen=True, eq=False)
class Told:
    """A subject's history with the answer behind each of its positions."""

    history: History
    annotation_ids: list[uuid.UUID]


def load(*, job_id: uuid.UUID | None, vendor_id: uuid.UUID | None = None, by: str) -> dict[Subject, Told]:
    """Return the histories of a job (None: of all jobs), by annotator or by vendor, of one vendor or of all.

    Answers of rejected work count, replaced ones do not. Agreement is with the labels decided by now.
    """
    counted = Annotation.objects.filter(Q(is_current=True) | Q(state=AnnotationState.REJECTED))
    if job_id is not None:
        counted = counted.filter(job_id=job_id)
    own = counted if vendor_id is None else counted.filter(vendor_id=vendor_id)
    rows = sorted(_rows(own.order_by("-pk")[:MAX_ANSWERS]), key=lambda row: (row.at, row.pk))
    others = rows if vendor_id is None else _beside(rows, vendor_id)
    given: dict[uuid.UUID, dict[Subject, int]] = defaultdict(dict)
    for row in [*others, *rows]:
        given[row.task][row.subject] = row.label
    grouped: dict[Subject, list[_Row]] = defaultdict(list)
    for row in rows:
        grouped[row.subject].append(row)
    told = {subject: _told(subject, mine, given) for subject, mine in grouped.items()}
    return told if by == "annotator" else _by_vendor(told)


_COLUMNS: Final = (
    "pk",
    "created_at",
    "vendor_id",
    "annotator",
    "record_id",
    "gold_id",
    "label",
    "seconds",
    "gold__label",
    "record__state",
    "record__label",
)


def _rows(annotations: QuerySet[Annotation]) -> list[_Row]:
    found = []
    for pk, at, vendor, annotator, record, gold, label, seconds, right, state, decided in annotations.values_list(
        *_COLUMNS
    ):
        subject, task, is_gold = Subject(vendor, annotator), record or gold, gold is not None
        known = right if is_gold else {RecordState.LABELED: decided, RecordState.UNLABELABLE: -1}.get(state)
        found.append(_Row(pk, at.timestamp(), subject, task, label, known, is_gold, seconds))
    return found


def _beside(rows: list[_Row], vendor_id: uuid.UUID) -> list[_Row]:
    """Return the answers of other vendors on the records that were answered wrongly."""
    wrong = [row.task for row in rows if row.truth is not None and row.label != row.truth]
    return _rows(
        Annotation.objects.filter(Q(record__in=wrong) | Q(gold__in=wrong), is_current=True).exclude(vendor_id=vendor_id)
    )


def _told(subject: Subject, rows: list[_Row], given: dict[uuid.UUID, dict[Subject, int]]) -> Told:
    nan = float("nan")
    known = [nan if row.truth is None else float(row.label == row.truth) for row in rows]
    history = History(
        at=np.array([row.at for row in rows]),
        label=np.array([row.label for row in rows], dtype=np.float64),
        gold_right=np.array([right if row.is_gold else nan for row, right in zip(rows, known, strict=True)]),
        agrees=np.array([nan if row.is_gold else right for row, right in zip(rows, known, strict=True)]),
        copied=np.array(_copied(subject, rows, given)),
        seconds=np.array([nan if row.seconds is None else row.seconds for row in rows]),
    )
    return Told(history, [row.pk for row in rows])


def _copied(subject: Subject, rows: list[_Row], given: dict[uuid.UUID, dict[Subject, int]]) -> list[float]:
    """Return for each wrong answer whether the annotator most alike gave it too; NaN where that says nothing."""
    wrong = [row for row in rows if row.truth is not None and row.label != row.truth]
    same = Counter(
        other for row in wrong for other, label in given[row.task].items() if other != subject and label == row.label
    )
    if not same:
        return [float("nan")] * len(rows)
    partner = max(same, key=lambda other: (same[other], str(other)))
    is_wrong = {row.pk for row in wrong}
    return [
        float(given[row.task][partner] == row.label)
        if row.pk in is_wrong and partner in given[row.task]
        else float("nan")
        for row in rows
    ]


def _by_vendor(told: dict[Subject, Told]) -> dict[Subject, Told]:
    groups: dict[uuid.UUID, list[Told]] = defaultdict(list)
    for subject, one in told.items():
        groups[subject.vendor_id].append(one)
    return {Subject(vendor_id, ""): _merged(parts) for vendor_id, parts in groups.items()}


def _merged(parts: list[Told]) -> Told:
    ids = [pk for part in parts for pk in part.annotation_ids]
    order = np.argsort(np.concatenate([part.history.at for part in parts]), kind="stable")
    return Told(join([part.history for part in parts]), [ids[place] for place in order])
