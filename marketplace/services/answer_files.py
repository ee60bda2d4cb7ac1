"""A vendor's work as files: its open records out, their answers in, with a report of all that is wrong beforehand."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.actors import Actor
from common.errors import ValidationFailedError
from common.tables import csv_row
from marketplace.core import answer_files, checks, kinds
from marketplace.core.answer_files import Row, Wrong
from marketplace.models import Assignment
from marketplace.services import annotations, prelabels
from marketplace.services.annotations import Answer, Delivery, content_of

MAX_BYTES: Final = 64 * 1024 * 1024
_TEXT_LABELS: Final = frozenset({kinds.CLASSIFICATION, "transcription"})
_COLUMNS: Final = ("id", "key", "uri", "metadata", "suggestion", "label", "cannot_label")


@dataclass(frozen=True, slots=True)
class Report:
    """What a file would do: the answers that pass, every fault by line, and how many records stay open."""

    answers: tuple[Answer, ...]
    wrong: tuple[Wrong, ...]
    n_left: int

    @property
    def n_good(self) -> int:
        """How many answers pass."""
        return len(self.answers)


def written(assignment: Assignment, form: str) -> Iterator[str]:
    """Yield the open records of a piece of work as JSON lines or CSV, with an empty label to fill in.

    A model's suggestion stands in a column of its own where annotators may see it.
    """
    items = [item for item in assignment.items.all() if not item.is_done]
    shown = prelabels.shown_for(assignment.job, [content_of(item).key for item in items])
    if form == "csv":
        yield csv_row(_COLUMNS)
    for item in items:
        about = content_of(item)
        word = shown.get(about.key)
        label = None
        if word is not None:
            label = assignment.job.label_schema.shown(word.label, word.value, about.metadata)
        row = (item.public_id, about.key, about.uri, about.metadata, label, None, None)
        yield csv_row(map(_cell, row)) if form == "csv" else _json_line(row)


def _json_line(row: Sequence[Any]) -> str:
    return json.dumps(dict(zip(_COLUMNS, row, strict=True)), ensure_ascii=False) + "\n"


def _cell(value: Any) -> str:
    if value is None or value == {}:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def check(assignment: Assignment, content: bytes, *, annotator: str = "") -> Report:
    """Return what a file of answers would do to a piece of work; nothing is written.

    Raises
    ------
    ValidationFailedError
        When the file as a whole cannot be read.
    """
    schema = assignment.job.label_schema
    if len(content) > MAX_BYTES:
        detail = f"The file has {len(content):,} bytes; {MAX_BYTES:,} are allowed. Send it in parts."
        raise ValidationFailedError.of("file", "too_long", detail)
    try:
        found = answer_files.read(content, is_text_label=schema.task_type in _TEXT_LABELS)
    except ValueError as error:
        raise ValidationFailedError.of("file", "unreadable", str(error)) from None
    placed, wrong = _placed(assignment, found.rows)
    answers, refused = _judged(assignment, placed, annotator)
    faults = sorted([*found.wrong, *wrong, *refused], key=lambda fault: fault.line)
    n_open = sum(not item.is_done for item in assignment.items.all())
    done = {item.pk for item in assignment.items.all() if item.is_done}
    return Report(answers, tuple(faults), n_open - sum(one.item_id not in done for one in answers))


def _placed(assignment: Assignment, rows: Sequence[Row]) -> tuple[list[tuple[Row, uuid.UUID]], list[Wrong]]:
    """Return the rows with the items they name, and those that name none or several."""
    items_of: dict[str, set[uuid.UUID]] = defaultdict(set)
    for item in assignment.items.all():
        items_of[content_of(item).key].add(item.pk)
        items_of[item.public_id].add(item.pk)
    placed, wrong = [], []
    for row in rows:
        items = items_of.get(row.name, set())
        if len(items) == 1:
            placed.append((row, next(iter(items))))
        else:
            unknown, several = "This record is not part of the work.", "Two records have this key; give the id instead."
            wrong.append(Wrong(row.line, row.name, several if items else unknown))
    return placed, wrong


def _judged(
    assignment: Assignment, placed: Sequence[tuple[Row, uuid.UUID]], annotator: str
) -> tuple[tuple[Answer, ...], list[Wrong]]:
    facts = {str(item.pk): content_of(item).metadata for item in assignment.items.all()}
    schema = assignment.job.label_schema
    delivery = checks.check_delivery(
        [checks.Annotation(str(item), row.label, row.cannot_label) for row, item in placed],
        lambda key: schema.rules_for(facts[key]),
        expected=list(facts),
    )
    answers, wrong = [], []
    for (row, item), outcome in zip(placed, delivery.outcomes, strict=True):
        if outcome.status == "rejected":
            told = [f"{finding.field}: {finding.detail}" for finding in outcome.findings]
            wrong.append(Wrong(row.line, row.name, " ".join(told)))
        else:
            answers.append(Answer(item, row.label, row.cannot_label, annotator=annotator))
    return tuple(answers), wrong


def submit(*, actor: Actor, assignment_id: uuid.UUID, report: Report) -> Delivery:
    """Take the answers of a checked file, if nothing in it is wrong. Locks what `annotations.submit` locks.

    Sent again, an equal file changes nothing.

    Raises
    ------
    ValidationFailedError
        When the file has faults, or no answers.
    """
    if report.wrong:
        n = len(report.wrong)
        raise ValidationFailedError.of("file", "faults", f"{n} line{'s' * (n > 1)} to mend; nothing was saved.")
    if not report.answers:
        raise ValidationFailedError.of("file", "no_answers", "No line has an answer; fill in label or cannot_label.")
    return annotations.submit(actor=actor, assignment_id=assignment_id, answers=report.answers)
