"""Cuboids in 3D: class, centre and size in metres, yaw in radians."""

import math
from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import parts, registry
from marketplace.core.checks.classification import class_list_findings
from marketplace.core.checks.model import Finding, Rules


class CuboidCheck:
    """Schema ``{"classes": [...], counts?, "max_size"?}``; size is length, width, height."""

    takes_classes = True
    rules: tuple[str, ...] = ("min_count", "max_count", "max_size")

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least one class, sane counts, positive limit."""
        findings = class_list_findings(schema, least=1)
        return findings or parts.count_findings(schema) + parts.limit_findings(schema, ("max_size",))

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return items with the yaw brought into -pi..pi."""
        return parts.each(label, rules, _cuboid)


def _cuboid(item: Any, rules: Rules, field: str) -> parts.Item:
    index, findings = parts.classed(item, rules, field, "center", "size", "yaw")
    if findings:
        return None, findings
    center, size, yaw = parts.numbers(item.get("center"), 3), parts.numbers(item.get("size"), 3), item.get("yaw", 0.0)
    if center is None or size is None or not parts.is_number(yaw):
        return None, [Finding("invalid_cuboid", "Need center [x, y, z], size [l, w, h] and a number yaw.", field)]
    if min(size) <= 0:
        return None, [Finding("empty_cuboid", "All three sizes must be positive.", f"{field}.size")]
    limit = rules.schema.get("max_size")
    if limit is not None and max(size) > limit:
        return None, [Finding("breaks_max_size", f"{max(size):g} m against a max_size of {limit:g} m.", field)]
    return {"class": index, "center": center, "size": size, "yaw": math.remainder(yaw, math.tau)}, []


registry.register("cuboid", CuboidCheck())
