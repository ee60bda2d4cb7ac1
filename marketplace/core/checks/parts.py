"""Parts that several task types share: numbers, lists of items, points inside the record."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from marketplace.core.checks.classification import class_index
from marketplace.core.checks.model import Finding, Rules

MAX_ITEMS = 10_000
MAX_FINDINGS = 20
EDGE = 1e-6
"""Pixels by which a coordinate may lie outside the record: rounding in drawing tools."""
SIZES = ("min_width", "max_width", "min_height", "max_height", "min_area", "max_area", "max_aspect_ratio")
"""Rules on the size of a drawn object, in pixels; of an outline, width and height are those of its upright box."""

Item = tuple[Any, list[Finding]]


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a finite number (booleans are none).

    >>> is_number(1.5), is_number(True), is_number(float("nan")), is_number("1")
    (True, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 and math.isfinite(value)


def numbers(value: Any, count: int) -> list[float] | None:
    """Return a JSON list of exactly so many finite numbers as floats, or None."""
    if not isinstance(value, list | tuple) or len(value) != count or not all(is_number(part) for part in value):
        return None
    return [float(part) for part in value]


def each(label: Any, rules: Rules, check: Callable[[Any, Rules, str], Item]) -> Item:
    """Check a list of items one by one, and their number against ``min_count`` and ``max_count`` of the schema."""
    if not isinstance(label, list | tuple):
        return None, [Finding("invalid_label", f"The label must be a list, not {type(label).__name__}.")]
    least, most = rules.schema.get("min_count", 0), rules.schema.get("max_count", MAX_ITEMS)
    if not least <= len(label) <= most:
        return None, [Finding("wrong_count", f"{len(label)} items; the job wants {least} to {most}.")]
    values, findings = [], []
    for position, item in enumerate(label):
        value, found = check(item, rules, f"label[{position}]")
        values.append(value)
        findings += found
        if len(findings) >= MAX_FINDINGS:
            break
    return values, findings


def classed(item: Any, rules: Rules, field: str, *known: str) -> tuple[int | None, list[Finding]]:
    """Return the class index of an item with a ``class`` and fields that are known."""
    if not isinstance(item, Mapping):
        return None, [Finding("invalid_item", f"Each item must be an object, not {type(item).__name__}.", field)]
    unknown = [name for name in item if name not in {"class", *known}]
    if unknown:
        detail = f"An item has class, {', '.join(known)}; {str(unknown[0])[:40]!r} is unknown."
        return None, [Finding("unknown_field", detail, field)]
    return class_index(item.get("class"), rules.schema["classes"], f"{field}.class")


def outside(points: list[list[float]], rules: Rules, field: str) -> list[Finding]:
    """Return a finding when a point lies outside the record; nothing where its size is unknown."""
    width, height = rules.record.get("width"), rules.record.get("height")
    if width is None or height is None or not is_number(width) or not is_number(height):
        return []
    for x, y in points:
        if not (-EDGE <= x <= width + EDGE and -EDGE <= y <= height + EDGE):
            detail = f"({x:g}, {y:g}) is outside the record of {width:g} x {height:g}."
            return [Finding("outside_record", detail, field)]
    return []


def count_findings(schema: Mapping[str, Any]) -> list[Finding]:
    """Return what is wrong with ``min_count`` and ``max_count`` of a schema."""
    bounds = [schema.get("min_count", 0), schema.get("max_count", MAX_ITEMS)]
    is_whole = all(isinstance(bound, int) and not isinstance(bound, bool) for bound in bounds)
    if not is_whole or not 0 <= bounds[0] <= bounds[1] <= MAX_ITEMS:
        return [Finding("invalid_count", f"Need whole 0 <= min_count <= max_count <= {MAX_ITEMS}.", "max_count")]
    return []


def limit_findings(schema: Mapping[str, Any], names: tuple[str, ...]) -> list[Finding]:
    """Return what is wrong with optional positive limits of a schema."""
    wrong = [name for name in names if name in schema and not (is_number(schema[name]) and schema[name] > 0)]
    return [Finding("invalid_limit", f"{name} must be a positive number.", name) for name in wrong]


def size_findings(rules: Rules, field: str, *, width: float, height: float, area: float) -> list[Finding]:
    """Return which of the customer's limits on size an object breaks; ``breaks_`` and the limit's name."""
    ratio = max(width / height, height / width)
    measured = {"width": width, "height": height, "area": area, "aspect_ratio": ratio}
    findings = []
    for name in SIZES:
        limit, value = rules.schema.get(name), measured[name[4:]]
        if limit is not None and (value < limit if name.startswith("min_") else value > limit):
            findings.append(Finding(f"breaks_{name}", f"{value:g} against a {name} of {limit:g}.", field))
    return findings
