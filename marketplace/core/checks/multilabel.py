"""Multilabel: any number of distinct classes of the job's list."""

from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import parts, registry
from marketplace.core.checks.classification import class_index, class_list_findings
from marketplace.core.checks.model import Finding, Rules


class MultilabelCheck:
    """Schema ``{"classes": [...], "min_count"?, "max_count"?}``; a label is a list of class names."""

    takes_classes = True
    rules: tuple[str, ...] = ("min_count", "max_count")

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least one class and sane counts."""
        return class_list_findings(schema, least=1) or parts.count_findings(schema)

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return the class indices in order."""
        indices, findings = parts.each(
            label, rules, lambda item, own, field: class_index(item, own.schema["classes"], field)
        )
        if not findings and len(set(indices)) < len(indices):
            findings = [Finding("repeated_class", "A class occurs more than once.")]
        return (None if findings else sorted(indices)), findings


registry.register("multilabel", MultilabelCheck())
