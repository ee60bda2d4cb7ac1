"""Keypoints: named points of the record, null where a point cannot be seen."""

from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import parts, registry
from marketplace.core.checks.classification import class_list_findings
from marketplace.core.checks.model import Finding, Rules

MAX_BONES = 1000


class KeypointCheck:
    """Schema ``{"points": [name, ...], "skeleton"?: [[name, name], ...], "tolerance"?}``; a label maps names to [x, y].

    A point that cannot be seen is null. ``tolerance`` is in pixels: how far apart two answers may place a point.
    """

    takes_classes = False
    rules: tuple[str, ...] = ("points", "skeleton", "tolerance")

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least one distinct name; a skeleton between points there are; a positive tolerance."""
        names = schema.get("points") if isinstance(schema, Mapping) else None
        findings = class_list_findings({"classes": names}, least=1)
        if findings:
            codes = [found.code.replace("classes", "points").replace("class", "point") for found in findings]
            return [Finding(code, found.detail, "points") for code, found in zip(codes, findings, strict=True)]
        return _skeleton_findings(schema) + parts.limit_findings(schema, ("tolerance",))

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


def _skeleton_findings(schema: Mapping[str, Any]) -> list[Finding]:
    bones = schema.get("skeleton", [])
    if not isinstance(bones, list | tuple) or len(bones) > MAX_BONES:
        return [Finding("invalid_skeleton", f"skeleton must be a list of at most {MAX_BONES} pairs.", "skeleton")]
    known = set(schema["points"])
    for position, bone in enumerate(bones):
        is_pair = isinstance(bone, list | tuple) and len(bone) == 2 and all(isinstance(end, str) for end in bone)
        if not is_pair or bone[0] == bone[1] or not known.issuperset(bone):
            detail = "Each bone must name two different points of the schema."
            return [Finding("invalid_skeleton", detail, f"skeleton[{position}]")]
    return []


registry.register("keypoints", KeypointCheck())
