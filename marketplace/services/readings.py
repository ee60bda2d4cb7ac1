"""A label as it is stored: a class index, or a value; and back into the form in which it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import FieldError, ValidationFailedError
from marketplace.core import checks, kinds
from marketplace.models import LabelSchema

CLASSIFICATION = kinds.CLASSIFICATION
CANNOT_LABEL = -1
"""Stored class index of "cannot be labeled", for every task type."""
VALUED = 0
"""Stored class index where the label is a value."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A label as stored: class index, -1 for "cannot be labeled"; the value of task types that have no index."""

    label: int
    value: Any = None


def check_schema(schema: LabelSchema) -> None:
    """Refuse a schema whose task type is unknown, or whose classes or rules it cannot keep, each error in its place."""
    if schema.task_type not in checks.task_types():
        raise ValidationFailedError.of("task_type", "unknown", f"Give one of {', '.join(checks.task_types())}.")
    findings = checks.check_schema(schema.task_type, schema.definition)
    if findings:
        raise ValidationFailedError(findings[0].detail, errors=[_schema_error(finding) for finding in findings])


def _schema_error(finding: checks.Finding) -> FieldError:
    field = finding.field if finding.field == "classes" else f"rules.{finding.field}"
    return {"field": field, "code": finding.code, "detail": finding.detail}


def of_outcome(schema: LabelSchema, outcome: checks.Outcome) -> Reading:
    """Return how to store what a check let pass."""
    return Reading(CANNOT_LABEL) if outcome.value == CANNOT_LABEL else _stored(schema, outcome.value)


def read(schema: LabelSchema, label: Any, record: Mapping[str, Any], place: str) -> Reading:
    """Return a label (None = cannot be labeled) as stored.

    Raises
    ------
    ValidationFailedError
        With every finding, each in its place.
    """
    if label is None:
        return Reading(CANNOT_LABEL)
    value, findings = kinds.canonical(label, schema.rules_for(record))
    if findings:
        errors = [_in_place(finding, place) for finding in findings]
        raise ValidationFailedError(f"{place} breaks the label schema.", errors=errors)
    return _stored(schema, value)


def _stored(schema: LabelSchema, value: Any) -> Reading:
    return Reading(value) if schema.task_type == CLASSIFICATION else Reading(VALUED, value)


def check_record(schema: LabelSchema, record: Mapping[str, Any], place: str) -> None:
    """Refuse a record whose metadata lack what its annotators and checks need, with every finding in its place."""
    findings = kinds.get(schema.task_type).record_findings(record)
    if findings:
        errors = [_in_place(finding, f"{place}.metadata") for finding in findings]
        raise ValidationFailedError(findings[0].detail, errors=errors)


def _in_place(finding: checks.Finding, place: str) -> FieldError:
    return {"field": f"{place}.{finding.field}", "code": finding.code, "detail": finding.detail}
