"""Checks by task type: a new type plugs in with one decorated class."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

from marketplace.core.checks.model import CANNOT_LABEL_REASONS, Annotation, Finding, Outcome, Rules

SIMILARITY = "min_similarity"
"""Rule of every task type but classification: how alike two answers are that say the same."""
MAX_SECONDS = 7 * 24 * 3600


class LabelCheck(Protocol):
    """What a task type brings: whether its schema lists classes, and which rules of the customer it knows."""

    takes_classes: bool
    rules: tuple[str, ...]

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """Return what is wrong with a job's label schema."""

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return the canonical value and what is wrong with the label; the value counts only without findings."""


_checks: dict[str, LabelCheck] = {}


def register(task_type: str, check: LabelCheck) -> None:
    """Register the checks of a task type; ValueError when it has some."""
    if task_type in _checks:
        raise ValueError(f"task type {task_type!r} is registered already")
    _checks[task_type] = check


def task_types() -> tuple[str, ...]:
    """Return the names of all task types in order."""
    return tuple(sorted(_checks))


def _get(task_type: str) -> LabelCheck:
    if task_type not in _checks:
        raise ValueError(f"unknown task type {task_type!r}; there are {', '.join(task_types())}")
    return _checks[task_type]


def check_schema(task_type: str, schema: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with a label schema, empty when nothing; ValueError for an unknown task type."""
    type_check = _get(task_type)
    return type_check.schema_findings(schema) or _rule_findings(schema, type_check)


def rules_of(task_type: str) -> tuple[str, ...]:
    """Return the names of the rules that schemas of a task type may hold."""
    type_check = _get(task_type)
    return (*type_check.rules, *(() if task_type == "classification" else (SIMILARITY,)))


def takes_classes(task_type: str) -> bool:
    """Return whether schemas of a task type list classes."""
    return _get(task_type).takes_classes


def _rule_findings(schema: Mapping[str, Any], type_check: LabelCheck) -> list[Finding]:
    """Return the rules that the task type does not know, and a similarity that is none."""
    allowed = {"classes", *type_check.rules} if type_check.takes_classes else set(type_check.rules)
    if type_check is not _checks["classification"]:
        allowed.add(SIMILARITY)
    known = ", ".join(sorted(allowed)) or "none"
    unknown = [name for name in schema if name not in allowed]
    findings = [Finding("unknown_rule", f"This task type knows: {known}.", str(name)[:60]) for name in unknown[:20]]
    least = schema.get(SIMILARITY, 1.0)
    if not isinstance(least, int | float) or isinstance(least, bool) or not 0 < least <= 1:
        findings.append(Finding("invalid_similarity", f"{SIMILARITY} must be above 0, at most 1.", SIMILARITY))
    return findings


def check(annotation: Annotation, rules: Rules) -> Outcome:
    """Return what becomes of one annotation on its own; duplicates are :func:`check_delivery`'s.

    Raises
    ------
    ValueError
        When the job's task type is unknown. Whatever the annotation holds is a finding, never an exception.

    Examples
    --------
    >>> check(Annotation("r1", "cow"), Rules("classification", {"classes": ["cat", "dog"]})).findings[0].code
    'unknown_class'
    """
    type_check = _get(rules.task_type)
    if annotation.cannot_label is not None:
        value, findings = -1, _cannot_label_findings(annotation)
    else:
        value, findings = type_check.label(annotation.label, rules)
    findings += _annotator_findings(annotation.annotator) + _seconds_findings(annotation.seconds)
    if findings:
        return Outcome(annotation.key, "rejected", None, tuple(findings))
    if _is_too_fast(annotation, rules):
        detail = (
            f"{annotation.seconds:g} s of work; the shortest plausible time of this job is {rules.min_seconds:g} s."
        )
        return Outcome(annotation.key, "quarantined", value, (Finding("too_fast", detail, "seconds"),))
    return Outcome(annotation.key, "accepted", value)


def _cannot_label_findings(annotation: Annotation) -> list[Finding]:
    reason = annotation.cannot_label
    if annotation.label is not None:
        return [Finding("label_and_cannot_label", "Give a label or a cannot_label reason, not both.", "cannot_label")]
    if not isinstance(reason, str) or reason not in CANNOT_LABEL_REASONS:
        detail = f"{str(reason)[:40]!r} is no reason; there are {', '.join(CANNOT_LABEL_REASONS)}."
        return [Finding("unknown_reason", detail, "cannot_label")]
    return []


def _annotator_findings(annotator: Any) -> list[Finding]:
    if not isinstance(annotator, str) or len(annotator) > 100 or "\x00" in annotator:
        return [Finding("invalid_annotator", "annotator must be text of at most 100 characters.", "annotator")]
    return []


def _seconds_findings(seconds: Any) -> list[Finding]:
    if seconds is None:
        return []
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not math.isfinite(seconds) or not 0 <= seconds <= MAX_SECONDS:
        return [Finding("invalid_seconds", f"seconds must be a number within 0..{MAX_SECONDS}.", "seconds")]
    return []


def _is_too_fast(annotation: Annotation, rules: Rules) -> bool:
    return rules.min_seconds is not None and annotation.seconds is not None and annotation.seconds < rules.min_seconds
