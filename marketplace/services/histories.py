"""The answers of a job or of the market as histories that rules are held against."""

import json
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from django.db.models import Q, QuerySet

from marketplace.core import kinds
from marketplace.core.rules import History, join
from marketplace.core.states import AnnotationState, RecordState
from marketplace.models import Annotation, GoldRecord, JobRecord, LabelSchema

MAX_ANSWERS: Final = 200_000
"""Newest answers looked at; older ones are left out."""


class Subject(NamedTuple):
    """An annotator of a vendor; the annotator is empty where all of a vendor's answers are meant."""

    vendor_id: uuid.UUID
    annotator: str


class _Row(NamedTuple):
    """An answer: ``code`` is what it says as a text, ``is_right`` None where the truth is not known."""

    pk: uuid.UUID
    at: float
    subject: Subject
    task: uuid.UUID
    code: str
    is_right: bool | None
    is_gold: bool
    seconds: float | None

    @property
    def is_wrong(self) -> bool:
        return self.is_right is False


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
    given: dict[uuid.UUID, dict[Subject, str]] = defaultdict(dict)
    for row in [*others, *rows]:
        given[row.task][row.subject] = row.code
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
    "job__label_schema_id",
    "seconds",
    "label",
    "value",
    "gold__label",
    "gold__value",
    "record__state",
    "record__label",
    "record__value",
)
_CANNOT: Final = "-1"


def _rows(annotations: QuerySet[Annotation]) -> list[_Row]:
    found = list(annotations.values_list(*_COLUMNS))
    schemas = LabelSchema.objects.in_bulk({row[6] for row in found})
    facts = _metadata({row[4] or row[5] for row in found if row[9] is not None})
    rows = []
    for pk, at, vendor, annotator, record, gold, schema, seconds, *said in found:
        is_right = _is_right(schemas[schema], facts.get(record or gold, {}), gold is not None, *said)
        code = json.dumps(said[0] if said[1] is None else said[1], sort_keys=True)
        subject = Subject(vendor, annotator)
        rows.append(_Row(pk, at.timestamp(), subject, record or gold, code, is_right, gold is not None, seconds))
    return rows


def _metadata(tasks: set[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """Return the metadata of the records whose labels are read by them: those that are no class index."""
    if not tasks:
        return {}
    records = JobRecord.objects.filter(pk__in=tasks).values_list("pk", "metadata")
    return dict(records) | dict(GoldRecord.objects.filter(pk__in=tasks).values_list("pk", "metadata"))


def _is_right(schema: LabelSchema, facts: Any, is_gold: bool, *said: Any) -> bool | None:
    """Return whether an answer says what is known of its record; None where nothing is known yet."""
    label, value, gold_label, gold_value, state, decided, decided_value = said
    if not is_gold and state not in {RecordState.LABELED, RecordState.UNLABELABLE}:
        return None
    known = (
        (gold_label, gold_value) if is_gold else (-1 if state == RecordState.UNLABELABLE else decided, decided_value)
    )
    if value is None or known[1] is None:
        return bool(label == (0 if known[0] is None else known[0]))
    return kinds.get(schema.task_type).is_right(value, known[1], schema.rules_for(facts))


def _beside(rows: list[_Row], vendor_id: uuid.UUID) -> list[_Row]:
    """Return the answers of other vendors on the records that were answered wrongly."""
    wrong = [row.task for row in rows if row.is_wrong]
    return _rows(
        Annotation.objects.filter(Q(record__in=wrong) | Q(gold__in=wrong), is_current=True).exclude(vendor_id=vendor_id)
    )


def _told(subject: Subject, rows: list[_Row], given: dict[uuid.UUID, dict[Subject, str]]) -> Told:
    nan = float("nan")
    known = [nan if row.is_right is None else float(row.is_right) for row in rows]
    history = History(
        at=np.array([row.at for row in rows]),
        label=np.array(_numbers(rows)),
        gold_right=np.array([right if row.is_gold else nan for row, right in zip(rows, known, strict=True)]),
        agrees=np.array([nan if row.is_gold else right for row, right in zip(rows, known, strict=True)]),
        copied=np.array(_copied(subject, rows, given)),
        seconds=np.array([nan if row.seconds is None else row.seconds for row in rows]),
    )
    return Told(history, [row.pk for row in rows])


def _numbers(rows: list[_Row]) -> list[float]:
    """Return a number for each answer, the same for the same answer; -1 for "cannot be labeled"."""
    numbers: dict[str, float] = {_CANNOT: -1.0}
    return [numbers.setdefault(row.code, float(len(numbers))) for row in rows]


def _copied(subject: Subject, rows: list[_Row], given: dict[uuid.UUID, dict[Subject, str]]) -> list[float]:
    """Return for each wrong answer whether the annotator most alike gave it too; NaN where that says nothing."""
    wrong = [row for row in rows if row.is_wrong]
    same = Counter(
        other for row in wrong for other, code in given[row.task].items() if other != subject and code == row.code
    )
    if not same:
        return [float("nan")] * len(rows)
    partner = max(same, key=lambda other: (same[other], str(other)))
    is_telling = {row.pk for row in wrong if partner in given[row.task]}
    return [float(given[row.task][partner] == row.code) if row.pk in is_telling else float("nan") for row in rows]


def _by_vendor(told: dict[Subject, Told]) -> dict[Subject, Told]:
    groups: dict[uuid.UUID, list[Told]] = defaultdict(list)
    for subject, one in told.items():
        groups[subject.vendor_id].append(one)
    return {Subject(vendor_id, ""): _merged(parts) for vendor_id, parts in groups.items()}


def _merged(parts: list[Told]) -> Told:
    ids = [pk for part in parts for pk in part.annotation_ids]
    order = np.argsort(np.concatenate([part.history.at for part in parts]), kind="stable")
    return Told(join([part.history for part in parts]), [ids[place] for place in order])
