"""Cuboids in space."""

from collections.abc import Sequence
from typing import Any

from marketplace.core.aggregation.structured import cuboids
from marketplace.core.checks import Rules
from marketplace.core.kinds.base import Kind, register
from marketplace.core.kinds.matching import matched_overlap
from marketplace.core.kinds.texts import named


@register
class Cuboids(Kind):
    """Classed cuboids; right from half the volume in common, as space is harder to draw in."""

    name = "cuboid"
    right_from = 0.5

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Mean intersection over union by volume of the best matching, class for class."""
        return matched_overlap(first, second, volume_overlap)

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """Matched by volume, kept by quorum; centre and size by weighted median, yaw by direction."""
        found = cuboids.consensus(values, skills)
        return [
            {"class": item.class_index, "center": list(item.center), "size": list(item.size), "yaw": item.yaw}
            for item in found
        ]

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
    """Return intersection over union by volume."""
    return min(float(cuboids.iou([first], [second])[0, 0]), 1.0)
