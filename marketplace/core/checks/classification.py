"""Classification: one class of the job's list."""

from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import registry
from marketplace.core.checks.model import Finding, Rules

MAX_CLASSES = 10_000


class ClassificationCheck:
    """Schema ``{"classes": [name, ...]}``; a label is one of the names."""

    takes_classes = True
    rules: tuple[str, ...] = ()

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least two classes: distinct, non-empty names."""
        return class_list_findings(schema, least=2)

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return the index of the class."""
        return class_index(label, rules.schema["classes"])


def class_list_findings(schema: Mapping[str, Any], *, least: int) -> list[Finding]:
    """Return what is wrong with ``schema["classes"]``."""
    classes = schema.get("classes") if isinstance(schema, Mapping) else None
    if not isinstance(classes, list | tuple) or not least <= len(classes) <= MAX_CLASSES:
        return [Finding("invalid_classes", f"classes must be a list of {least} to {MAX_CLASSES} names.", "classes")]
    if not all(isinstance(name, str) and name.strip() and len(name) <= 200 and "\x00" not in name for name in classes):
        return [Finding("invalid_class_name", "Each class must be a non-empty name of <= 200 characters.", "classes")]
    if len(set(classes)) != len(classes):
        return [Finding("repeated_class", f"{len(classes) - len(set(classes))} class names repeat.", "classes")]
    return []


def class_index(label: Any, classes: list[str], field: str = "label") -> tuple[int | None, list[Finding]]:
    """Return the index of a class name, or what is wrong with it."""
    if label is None:
        return None, [Finding("missing_label", "A label or a cannot_label reason is required.", field)]
    if not isinstance(label, str):
        return None, [Finding("invalid_label", f"The label must be a class name, not {type(label).__name__}.", field)]
    if label not in classes:
        return None, [Finding("unknown_class", f"{label[:40]!r} is not one of the {len(classes)} classes.", field)]
    return classes.index(label), []


registry.register("classification", ClassificationCheck())
