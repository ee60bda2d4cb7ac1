"""Qualification tests of every task type: labels are read and compared as those of jobs are."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.actors import Actor
from marketplace.core import kinds
from marketplace.models import LabelSchema
from marketplace.services import readings
from marketplace.services.readings import CANNOT_LABEL, CLASSIFICATION, Reading
from vendors.core.qualification import QualificationResult
from vendors.models import GoldItem, GoldSet, QualificationAttempt
from vendors.services import qualification
from vendors.services.qualification import DIFFERS, GoldRecord


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A record whose label is known, in the task type's JSON form; None = cannot be labeled."""

    key: str
    label: Any
    uri: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


def add_gold_set(
    *,
    actor: Actor,
    task_type: str,
    classes: Sequence[str],
    rules: Mapping[str, Any],
    records: Sequence[KnownRecord],
    **terms: Any,
) -> GoldSet:
    """Add the qualification test of one kind of work; ``terms`` as in :func:`qualification.add_gold_set`.

    Raises
    ------
    ValidationFailedError
        When the schema or a record's label is unsound; each error names its place.
    """
    schema = LabelSchema(task_type=task_type, classes=list(classes), rules=dict(rules))
    readings.check_schema(schema)
    golden = [_golden(schema, record, f"records[{number}]") for number, record in enumerate(records)]
    return qualification.add_gold_set(
        actor=actor, task_type=task_type, classes=schema.classes, rules=schema.rules, records=golden, **terms
    )


def _golden(schema: LabelSchema, record: KnownRecord, place: str) -> GoldRecord:
    readings.check_record(schema, record.metadata, place)
    reading = readings.read(schema, record.label, record.metadata, place)
    return GoldRecord(record.key, reading.label, record.uri, reading.value, dict(record.metadata))


def answer(
    *, actor: Actor, attempt: QualificationAttempt, answers: Mapping[uuid.UUID, Any], places: Mapping[uuid.UUID, str]
) -> QualificationResult:
    """Judge an attempt by its answers: item -> label, None for "cannot be labeled".

    Raises
    ------
    ValidationFailedError
        When a label is unsound; the errors are named by ``places``.
    """
    gold = {item.pk: item.gold_item for item in attempt.items.all()}
    read = {pk: _read(gold[pk], label, places[pk]) for pk, label in answers.items()}
    indices = {pk: _compared(gold[pk], reading) for pk, reading in read.items()}
    values = {pk: reading.value for pk, reading in read.items()}
    return qualification.answer(actor=actor, attempt_id=attempt.pk, answers=indices, values=values)


def schema_of(gold_set: GoldSet) -> LabelSchema:
    """Return the label schema of a test."""
    return LabelSchema(task_type=gold_set.task_type, classes=gold_set.classes, rules=gold_set.rules)


def _read(gold: GoldItem, label: Any, place: str) -> Reading:
    return readings.read(schema_of(gold.gold_set), label, gold.metadata, place)


def _compared(gold: GoldItem, reading: Reading) -> int:
    """Return the index to judge by: the gold's own where a value says the same."""
    if gold.gold_set.task_type == CLASSIFICATION or CANNOT_LABEL in {gold.label, reading.label}:
        return reading.label
    kind, rules = kinds.get(gold.gold_set.task_type), schema_of(gold.gold_set).rules_for(gold.metadata)
    return gold.label if kind.is_right(gold.value, reading.value, rules) else DIFFERS
