"""Cuboids in space: overlap of two yawed boxes."""

import math
from typing import Any

import numpy as np

from marketplace.core.checks import Rules
from marketplace.core.kinds.base import Kind, register
from marketplace.core.kinds.matching import matched_overlap
from marketplace.core.kinds.texts import named

Corners = list[tuple[float, float]]


@register
class Cuboids(Kind):
    """Classed cuboids; right from half the volume in common, as space is harder to draw in."""

    name = "cuboid"
    right_from = 0.5

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Mean intersection over union by volume of the best matching, class for class."""
        return matched_overlap(first, second, volume_overlap)

    def public(self, value: Any, rules: Rules) -> Any:
        """Classes by name."""
        return named(value, rules)

    def is_telling(self, value: Any, rules: Rules) -> bool:
        """Nobody places the same cuboid twice."""
        return len(value) > 0

    def example(self, rules: Rules) -> Any:
        """A car ahead."""
        return [{"class": rules.schema["classes"][0], "center": [8.0, 1.5, 0.8], "size": [4.2, 1.8, 1.5], "yaw": 0.1}]


def volume_overlap(first: Any, second: Any) -> float:
    """Return intersection over union of two cuboids that stand upright.

    >>> base = {"center": [0, 0, 0], "size": [2, 2, 2], "yaw": 0.0}
    >>> volume_overlap(base, base), round(volume_overlap(base, base | {"center": [1, 0, 0]}), 2)
    (1.0, 0.33)
    """
    low = max(solid["center"][2] - solid["size"][2] / 2 for solid in (first, second))
    high = min(solid["center"][2] + solid["size"][2] / 2 for solid in (first, second))
    if high <= low:
        return 0.0
    common = _area(_clipped(_footprint(first), _footprint(second))) * (high - low)
    total = math.prod(first["size"]) + math.prod(second["size"]) - common
    return float(min(common / total, 1.0))


def _footprint(solid: Any) -> Corners:
    """Return the corners seen from above, counter-clockwise."""
    (x, y, _), (length, width, _), yaw = solid["center"], solid["size"], solid["yaw"]
    along, across = math.cos(yaw), math.sin(yaw)
    halves = [(length / 2, width / 2), (-length / 2, width / 2), (-length / 2, -width / 2), (length / 2, -width / 2)]
    return [(x + a * along - b * across, y + a * across + b * along) for a, b in halves]


def _clipped(subject: Corners, window: Corners) -> Corners:
    """Return the part of a convex polygon inside another (Sutherland, Hodgman 1974)."""
    for number, start in enumerate(window):
        end = window[(number + 1) % len(window)]
        kept: Corners = []
        for position, point in enumerate(subject):
            before = subject[position - 1]
            side, side_before = _side(start, end, point), _side(start, end, before)
            if (side >= 0) != (side_before >= 0):
                share = side_before / (side_before - side)
                kept.append((before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1])))
            if side >= 0:
                kept.append(point)
        subject = kept
    return subject


def _side(start: tuple[float, float], end: tuple[float, float], point: tuple[float, float]) -> float:
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def _area(corners: Corners) -> float:
    if len(corners) < 3:
        return 0.0
    x, y = np.array(corners).T
    return float(0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
