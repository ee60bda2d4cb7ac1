"""What is checked, against what, and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CANNOT_LABEL_REASONS = ("out_of_scope", "corrupted", "ambiguous", "unreadable", "other")
"""Reasons with which an annotator may answer that a record cannot be labeled."""

Status = Literal["accepted", "quarantined", "rejected"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One answer as it arrived: a label (JSON value) or a reason why there is none.

    Attributes
    ----------
    key
        Record key.
    label
        JSON value of the task type; None with ``cannot_label``.
    cannot_label
        One of :data:`CANNOT_LABEL_REASONS`, or None.
    annotator
        The vendor's own name for the person, or "".
    seconds
        Work time, or None when not reported.
    """

    key: str
    label: Any = None
    cannot_label: Any = None
    annotator: Any = ""
    seconds: Any = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a job asks of an annotation.

    Attributes
    ----------
    task_type
        A name of :func:`marketplace.core.checks.task_types`.
    schema
        The job's label schema, e.g. ``{"classes": ["cat", "dog"]}``.
    record
        Facts about the record that its answer must fit (width, height, text), where the task type needs them.
    min_seconds
        Work below this is quarantined as implausibly fast; None to skip.
    """

    task_type: str
    schema: Mapping[str, Any]
    record: Mapping[str, Any] = field(default_factory=dict)
    min_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: machine-readable code, a sentence, the field it is in."""

    code: str
    detail: str
    field: str = "label"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one annotation.

    Attributes
    ----------
    status
        accepted; quarantined (kept, not counted until looked at); rejected (unusable).
    value
        The label in canonical form for aggregation: a class index for classification, -1 for "cannot label"; None when
        rejected.
    findings
        Why, empty when accepted without remark.
    """

    key: str
    status: Status
    value: Any
    findings: tuple[Finding, ...] = ()
