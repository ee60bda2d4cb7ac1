"""Bounding boxes: class and [x, y, width, height] in pixels of the record."""

from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import parts, registry
from marketplace.core.checks.classification import class_list_findings
from marketplace.core.checks.model import Finding, Rules


class BoxCheck:
    """Schema ``{"classes": [...], counts?, min_width?, min_height?, min_area?, max_area?, max_aspect_ratio?}``."""

    takes_classes = True
    rules: tuple[str, ...] = ("min_count", "max_count", *parts.SIZES)

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least one class, sane counts, positive limits."""
        return class_list_findings(schema, least=1) or parts.count_findings(schema) + parts.limit_findings(
            schema, parts.SIZES
        )

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return ``{"class": index, "box": [x, y, width, height]}`` items; no items is a valid answer."""
        return parts.each(label, rules, _box)


def _box(item: Any, rules: Rules, field: str) -> parts.Item:
    index, findings = parts.classed(item, rules, field, "box")
    if findings:
        return None, findings
    box = parts.numbers(item.get("box"), 4)
    if box is None:
        return None, [Finding("invalid_box", "box must be [x, y, width, height], four finite numbers.", f"{field}.box")]
    x, y, width, height = box
    if width <= 0 or height <= 0:
        return None, [Finding("empty_box", f"The box is {width:g} x {height:g}.", f"{field}.box")]
    corners = [[x, y], [x + width, y + height]]
    findings = parts.outside(corners, rules, f"{field}.box") + parts.size_findings(
        rules, f"{field}.box", width=width, height=height, area=width * height
    )
    return {"class": index, "box": box}, findings


registry.register("bbox", BoxCheck())
