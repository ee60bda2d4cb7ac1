"""Keypoints: named points of the record, null where a point cannot be seen."""

from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import parts, registry
from marketplace.core.checks.classification import class_list_findings
from marketplace.core.checks.model import Finding, Rules


class KeypointCheck:
    """Schema ``{"points": [name, ...]}``; a label maps each name to [x, y] or null."""

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least one distinct name."""
        names = schema.get("points") if isinstance(schema, Mapping) else None
        findings = class_list_findings({"classes": names}, least=1)
        return [Finding(finding.code.replace("class", "point"), finding.detail, "points") for finding in findings]

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return the points by name, in the order of the schema."""
        names = rules.schema["points"]
        if not isinstance(label, Mapping):
            return None, [Finding("invalid_label", f"The label must be an object, not {type(label).__name__}.")]
        if set(label) != set(names):
            missing, unknown = len(set(names) - set(label)), len(set(label) - set(names))
            return None, [Finding("wrong_points", f"{missing} points missing, {unknown} unknown.")]
        value = {name: None if label[name] is None else parts.numbers(label[name], 2) for name in names}
        findings: list[Finding] = []
        for name, point in value.items():
            if point is None and label[name] is not None:
                findings.append(Finding("invalid_point", "A point must be [x, y] or null.", f"label.{name}"))
            elif point is not None:
                findings += parts.outside([point], rules, f"label.{name}")
        return value, findings


registry.register("keypoints", KeypointCheck())
