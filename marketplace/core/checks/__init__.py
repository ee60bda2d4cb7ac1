"""Checks of an annotation on arrival: machine-readable reasons, one module per task type behind one registry."""

from marketplace.core.checks import (  # importing a module registers its task type
    boxes,
    classification,
    cuboids,
    keypoints,
    masks,
    multilabel,
    polygons,
    ranking,
    spans,
    transcription,
)
from marketplace.core.checks.delivery import Delivery, check_delivery
from marketplace.core.checks.model import CANNOT_LABEL_REASONS, Annotation, Finding, Outcome, Rules
from marketplace.core.checks.registry import check, check_schema, rules_of, takes_classes, task_types
from marketplace.core.checks.timing import shortest_plausible_s

__all__ = [
    "CANNOT_LABEL_REASONS",
    "Annotation",
    "Delivery",
    "Finding",
    "Outcome",
    "Rules",
    "boxes",
    "check",
    "check_delivery",
    "check_schema",
    "classification",
    "cuboids",
    "keypoints",
    "masks",
    "multilabel",
    "polygons",
    "ranking",
    "rules_of",
    "shortest_plausible_s",
    "spans",
    "takes_classes",
    "task_types",
    "transcription",
]
