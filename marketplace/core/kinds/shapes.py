"""Kinds drawn on an image: boxes, polygons, keypoints."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import boxes, keypoints
from marketplace.core.checks import Rules
from marketplace.core.kinds.base import Kind, register
from marketplace.core.kinds.matching import matched_overlap
from marketplace.core.kinds.texts import named

GRID = 128
"""Points a side on which polygons are compared: overlaps are exact to about 1 %."""
TOLERANCE = 0.05
"""Share of the diagonal (of the record, else of all points) by which a keypoint may lie off, unless the schema says."""


@register
class Boxes(Kind):
    """Classed boxes; right from a mean overlap of 0.7 over all objects."""

    name = "bbox"
    right_from = 0.7

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Mean intersection over union of the best matching, class for class."""
        return matched_overlap(first, second, _box_overlap)

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """Matched, kept by quorum, averaged by skill."""
        found = boxes.consensus(values, skills)
        return [{"class": item.class_index, "box": list(item.box)} for item in found]

    def public(self, value: Any, rules: Rules) -> Any:
        """Classes by name."""
        return named(value, rules)

    def is_telling(self, value: Any, rules: Rules) -> bool:
        """Nobody draws the same box twice, but for one around the whole record."""
        whole = [0.0, 0.0, rules.record.get("width"), rules.record.get("height")]
        return any(item["box"] != whole for item in value)

    def example(self, rules: Rules) -> Any:
        """One box."""
        return [{"class": rules.schema["classes"][0], "box": [10, 20, 30, 40]}]


@register
class Polygons(Kind):
    """Classed outlines."""

    name = "polygon"
    right_from = 0.7

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Mean intersection over union of the best matching, class for class."""
        return matched_overlap(first, second, lambda one, two: ring_overlap(one["points"], two["points"]))

    def public(self, value: Any, rules: Rules) -> Any:
        """Classes by name."""
        return named(value, rules)

    def is_telling(self, value: Any, rules: Rules) -> bool:
        """Nobody draws the same outline twice."""
        return len(value) > 0

    def example(self, rules: Rules) -> Any:
        """One triangle."""
        return [{"class": rules.schema["classes"][0], "points": [[10, 20], [40, 20], [25, 60]]}]


@register
class Keypoints(Kind):
    """Named points, null where not visible."""

    name = "keypoints"
    right_from = 0.8

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Share of the points on which both agree: unseen, or within the tolerance."""
        reach = _tolerance(first, second, rules)
        return sum(_is_near(first[name], second[name], reach) for name in first) / len(first)

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """Visible by weight, placed at the weighted median."""
        found = keypoints.consensus(values, skills)
        return {name: list(point.point) if point.point is not None else None for name, point in found.items()}

    def is_telling(self, value: Any, rules: Rules) -> bool:
        """Two points on the same spot may be chance; three are not."""
        return sum(point is not None for point in value.values()) >= 3

    def example(self, rules: Rules) -> Any:
        """All points in a row."""
        return {name: [10 * number, 20] for number, name in enumerate(rules.schema["points"], start=1)}


def _box_overlap(one: Any, two: Any) -> float:
    first, second = np.array([one["box"]]), np.array([two["box"]])
    return float(boxes.iou(first, second)[0, 0])


def ring_overlap(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> float:
    """Return intersection over union of two outlines, on a grid over both.

    >>> round(ring_overlap([[0, 0], [4, 0], [4, 4], [0, 4]], [[2, 0], [6, 0], [6, 4], [2, 4]]), 2)
    0.33
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    low, high = np.minimum(one.min(axis=0), two.min(axis=0)), np.maximum(one.max(axis=0), two.max(axis=0))
    if np.any(np.minimum(one.max(axis=0), two.max(axis=0)) <= np.maximum(one.min(axis=0), two.min(axis=0))):
        return 0.0
    steps = (np.arange(GRID) + 0.5) / GRID
    x, y = low[0] + steps * (high[0] - low[0]), low[1] + steps * (high[1] - low[1])
    inside_one, inside_two = _inside(one, x, y), _inside(two, x, y)  # (GRID, GRID)
    total = np.count_nonzero(inside_one | inside_two)
    return float(np.count_nonzero(inside_one & inside_two) / total) if total else 0.0


def _inside(ring: FloatArray, x: FloatArray, y: FloatArray) -> Any:
    """Return which grid points lie inside an outline (even-odd rule), shape (len(y), len(x))."""
    inside = np.zeros((len(y), len(x)), dtype=np.bool_)
    for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        crosses = (start[1] > y) != (end[1] > y)  # (len(y),)
        if not crosses.any():
            continue
        at = start[0] + (y[crosses] - start[1]) * (end[0] - start[0]) / (end[1] - start[1])
        inside[crosses] ^= x[np.newaxis] < at[:, np.newaxis]
    return inside


def _tolerance(first: Any, second: Any, rules: Rules) -> float:
    """Return how far off a point may be, in pixels."""
    if "tolerance" in rules.schema:
        return float(rules.schema["tolerance"])
    width, height = rules.record.get("width"), rules.record.get("height")
    if isinstance(width, int | float) and isinstance(height, int | float):
        return TOLERANCE * math.hypot(width, height)
    points = np.array([point for value in (first, second) for point in value.values() if point is not None])
    return TOLERANCE * float(np.hypot(*np.ptp(points, axis=0))) if len(points) else 0.0


def _is_near(first: Any, second: Any, reach: float) -> bool:
    if first is None or second is None:
        return first is second
    return math.dist(first, second) <= reach
