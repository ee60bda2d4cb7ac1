"""Polygons: class and a ring of points; simple, not empty, inside the record."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from marketplace.core.checks import parts, registry
from marketplace.core.checks.classification import class_list_findings
from marketplace.core.checks.model import Finding, Rules

MAX_POINTS = 2_000


class PolygonCheck:
    """Schema ``{"classes": [...], counts?, sizes?}``; the ring closes itself, first point not repeated."""

    takes_classes = True
    rules: tuple[str, ...] = ("min_count", "max_count", *parts.SIZES)

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least one class, sane counts, positive limits."""
        findings = class_list_findings(schema, least=1)
        return findings or parts.count_findings(schema) + parts.limit_findings(schema, parts.SIZES)

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return ``{"class": index, "points": [[x, y], ...]}`` items."""
        return parts.each(label, rules, _polygon)


def _polygon(item: Any, rules: Rules, field: str) -> parts.Item:
    index, findings = parts.classed(item, rules, field, "points")
    if findings:
        return None, findings
    points, field = item.get("points"), f"{field}.points"
    if not isinstance(points, list | tuple) or not 3 <= len(points) <= MAX_POINTS:
        return None, [Finding("invalid_points", f"points must be a list of 3 to {MAX_POINTS} [x, y].", field)]
    ring = [point for point in (parts.numbers(pair, 2) for pair in points) if point is not None]
    if len(ring) < len(points):
        return None, [Finding("invalid_points", "Each point must be [x, y], two finite numbers.", field)]
    size, least = area(ring), rules.schema.get("min_area", 0)
    if size <= least:
        findings.append(Finding("too_small", f"The area is {size:g}; more than {least:g} is needed.", field))
    elif crosses_itself(ring):
        findings.append(Finding("self_crossing", "The outline crosses or touches itself.", field))
    width, height = np.ptp(np.array(ring), axis=0).tolist()
    findings += parts.outside(ring, rules, field)
    if width > 0 and height > 0:
        findings += parts.size_findings(rules, field, width=width, height=height, area=max(size, least))
    return {"class": index, "points": ring}, findings


def area(ring: list[list[float]]) -> float:
    """Return the enclosed area (shoelace formula).

    >>> area([[0, 0], [4, 0], [4, 3]])
    6.0
    """
    x, y = np.array(ring, dtype=np.float64).T
    return float(0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def crosses_itself(ring: list[list[float]]) -> bool:
    """Return whether two edges that are not neighbours meet.

    Notes
    -----
    O(points squared), vectorised one edge against all.

    Examples
    --------
    >>> crosses_itself([[0, 0], [2, 2], [2, 0], [0, 2]]), crosses_itself([[0, 0], [2, 0], [2, 2], [0, 2]])
    (True, False)
    """
    start = np.array(ring, dtype=np.float64)
    end = np.roll(start, -1, axis=0)
    n = len(start)
    for one in range(n - 2):
        others = np.arange(one + 2, n if one else n - 1)
        if _meets(start[one], end[one], start[others], end[others]).any():
            return True
    return False


def _meets(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return which of the segments c-d meet the segment a-b, shape (n,)."""
    sides = [_side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)]
    is_crossing = (sides[0] * sides[1] < 0) & (sides[2] * sides[3] < 0)
    on_first = ((sides[0] == 0) & _within(a, b, c)) | ((sides[1] == 0) & _within(a, b, d))
    on_other = ((sides[2] == 0) & _within(c, d, a)) | ((sides[3] == 0) & _within(c, d, b))
    return is_crossing | on_first | on_other


def _side(a: Any, b: Any, point: Any) -> Any:
    along, towards = b - a, point - a
    return np.sign(along[..., 0] * towards[..., 1] - along[..., 1] * towards[..., 0])


def _within(a: Any, b: Any, point: Any) -> Any:
    return np.all((np.minimum(a, b) <= point) & (point <= np.maximum(a, b)), axis=-1)


registry.register("polygon", PolygonCheck())
