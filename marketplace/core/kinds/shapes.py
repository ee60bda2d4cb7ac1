"""Kinds drawn on an image: boxes, polygons, masks, keypoints."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from marketplace.core import rle
from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import boxes, keypoints, masks, matching, polygons, weights
from marketplace.core.checks import Rules
from marketplace.core.kinds.base import Kind, register
from marketplace.core.kinds.matching import matched_overlap
from marketplace.core.kinds.texts import named

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

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """Matched by area, kept by quorum; of each object the drawn outline nearest to the pixel vote."""
        found = polygons.consensus(values, skills)
        return [{"class": item.class_index, "points": [list(point) for point in item.points]} for item in found]

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
class Masks(Kind):
    """Classed pixels, as run lengths."""

    name = "mask"
    right_from = 0.7

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Mean intersection over union of the best matching, class for class."""
        return matched_overlap(first, second, mask_overlap)

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """Matched by pixels, kept by quorum; each pixel by those who saw the object, by their hits and misses."""
        share = weights.of_skills(skills, len(values))
        objects = matching.clusters(values, share, _mask_table, lambda cluster: _most_like_all(cluster, share))
        kept = []
        for cluster in objects:
            index, seen, _ = matching.elected(cluster, share)
            if seen > matching.QUORUM:
                merged = masks.consensus_of_runs(
                    [item["counts"] for _, item in cluster], [skills[p] for p, _ in cluster]
                )
                best = _most_like_all(cluster, share)
                counts = merged if rle.area(merged) else best["counts"]
                kept.append((seen, {"class": index, "size": best["size"], "counts": counts}))
        return [item for _, item in sorted(kept, key=lambda one: -one[0])]

    def public(self, value: Any, rules: Rules) -> Any:
        """Classes by name, runs as a list."""
        return named(value, rules)

    def is_telling(self, value: Any, rules: Rules) -> bool:
        """Nobody paints the same pixels twice, but the whole record."""
        return any(len(item["counts"]) > 2 for item in value)

    def example(self, rules: Rules) -> Any:
        """The left column, where the record's size is known."""
        height, width = (int(rules.record.get(side, 4)) for side in ("height", "width"))
        counts = [0, height, height * (width - 1)] if width > 1 else [0, height]
        return [{"class": rules.schema["classes"][0], "size": [height, width], "counts": counts}]


def _mask_table(first: Sequence[Any], second: Sequence[Any]) -> FloatArray:
    return np.array([[mask_overlap(one, two) for two in second] for one in first]).reshape(len(first), len(second))


def _most_like_all(cluster: matching.Cluster, share: FloatArray) -> Any:
    """Return the mask that overlaps most with those of the others; the first of equals."""
    alike = [sum(share[person] * mask_overlap(item, other) for person, other in cluster) for _, item in cluster]
    return cluster[int(np.argmax(np.round(alike, 9)))][1]


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
    """Return intersection over union of two outlines, on a grid over both: right to about 1 %.

    >>> round(ring_overlap([[0, 0], [4, 0], [4, 4], [0, 4]], [[2, 0], [6, 0], [6, 4], [2, 4]]), 2)
    0.33
    """
    return float(polygons.iou([{"points": first}], [{"points": second}])[0, 0])


def mask_overlap(first: Any, second: Any) -> float:
    """Return intersection over union of two masks; 0 where their sizes differ."""
    return rle.iou(first["counts"], second["counts"]) if first["size"] == second["size"] else 0.0


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
