"""Checks of an annotation on arrival: machine-readable reasons, one module per task type behind one registry."""

from marketplace.core.checks import classification  # registers itself
from marketplace.core.checks.delivery import Delivery, check_delivery
from marketplace.core.checks.model import CANNOT_LABEL_REASONS, Annotation, Finding, Outcome, Rules
from marketplace.core.checks.registry import check, check_schema, task_types
from marketplace.core.checks.timing import shortest_plausible_s

__all__ = [
    "CANNOT_LABEL_REASONS",
    "Annotation",
    "Delivery",
    "Finding",
    "Outcome",
    "Rules",
    "check",
    "check_delivery",
    "check_schema",
    "classification",
    "shortest_plausible_s",
    "task_types",
]
