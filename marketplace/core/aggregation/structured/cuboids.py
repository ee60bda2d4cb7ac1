"""Cuboids in 3D: matched by overlap of volume, kept by quorum, centre and size by weighted median, yaw by direction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import matching, weights
from marketplace.core.aggregation.structured.boxes import weighted_median
from marketplace.core.aggregation.structured.matching import Cluster, Item

LEAST_OVERLAP = 0.25
"""Volume overlap of two cuboids that may be one object: a metre off in three dimensions costs far more than in two."""
Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class ConsensusCuboid:
    """One object: class, centre and size in metres, yaw in radians, weight of who saw it, share of it for the class."""

    class_index: int
    center: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float
    confidence: float
    class_confidence: float


def check(cuboid: Item) -> None:
    """Raise ValueError when a number is not finite or a size is not positive."""
    numbers = [*cuboid["center"], *cuboid["size"], cuboid.get("yaw", 0.0)]
    if len(numbers) != 7 or not all(math.isfinite(number) for number in numbers):
        raise ValueError("a cuboid needs center [x, y, z], size [l, w, h] and yaw, seven finite numbers")
    if min(cuboid["size"]) <= 0:
        raise ValueError(f"all three sizes must be positive, got {list(cuboid['size'])}")


def footprint(cuboid: Item) -> list[Point]:
    """Return the corners seen from above, counter-clockwise."""
    (x, y, _), (length, width, _), yaw = cuboid["center"], cuboid["size"], cuboid.get("yaw", 0.0)
    cos, sin = math.cos(yaw), math.sin(yaw)
    corners = ((length, width), (-length, width), (-length, -width), (length, -width))
    return [(x + (cos * u - sin * v) / 2, y + (sin * u + cos * v) / 2) for u, v in corners]


def _cut(ring: list[Point], a: Point, b: Point) -> list[Point]:
    """Return the part of a convex ring to the left of the line from a to b (Sutherland and Hodgman's step)."""
    sides = [(b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) for x, y in ring]
    kept: list[Point] = []
    for index, point in enumerate(ring):
        before, side, previous = ring[index - 1], sides[index], sides[index - 1]
        if (side >= 0) != (previous >= 0):
            at = previous / (previous - side)
            kept.append((before[0] + at * (point[0] - before[0]), before[1] + at * (point[1] - before[1])))
        if side >= 0:
            kept.append(point)
    return kept


def _common_area(first: list[Point], second: list[Point]) -> float:
    ring = first
    for index, corner in enumerate(second):
        ring = _cut(ring, second[index - 1], corner)
    doubled = sum(ring[index - 1][0] * y - x * ring[index - 1][1] for index, (x, y) in enumerate(ring))
    return max(doubled / 2, 0.0)


def iou(first: Sequence[Item], second: Sequence[Item]) -> FloatArray:
    """Return intersection over union of volumes, shape (n_first, n_second).

    >>> cube = {"class": 0, "center": [0, 0, 0], "size": [2, 2, 2], "yaw": 0.0}
    >>> iou([cube], [cube | {"center": [1, 0, 0]}, cube | {"yaw": math.pi / 2}]).round(3).tolist()
    [[0.333, 1.0]]
    """
    found = np.zeros((len(first), len(second)))
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            low = max(one["center"][2] - one["size"][2] / 2, other["center"][2] - other["size"][2] / 2)
            high = min(one["center"][2] + one["size"][2] / 2, other["center"][2] + other["size"][2] / 2)
            if high > low:
                common = _common_area(footprint(one), footprint(other)) * (high - low)
                found[row, column] = common / (math.prod(one["size"]) + math.prod(other["size"]) - common)
    return found


def mean_yaw(yaws: Sequence[float], weight: FloatArray) -> float:
    """Return the weighted mean direction: the axis first, then the way it points, by weight.

    Front and back are easily mistaken; averaging a yaw with its opposite would turn the cuboid across.

    >>> round(mean_yaw([0.1, math.pi + 0.1, 0.1], np.ones(3)), 6)
    0.1
    """
    angles = np.asarray(yaws, dtype=np.float64)
    axis = 0.5 * math.atan2(float(weight @ np.sin(2 * angles)), float(weight @ np.cos(2 * angles)))
    forward = float(weight @ np.cos(angles - axis))
    return math.remainder(axis if forward >= 0 else axis + math.pi, math.tau)


def _merged(cluster: Cluster, share: FloatArray) -> Item:
    weight = np.array([share[person] for person, _ in cluster])
    places = np.array([[*item["center"], *item["size"]] for _, item in cluster], dtype=np.float64)
    middle = [weighted_median(column, weight) for column in places.T]
    yaw = mean_yaw([item.get("yaw", 0.0) for _, item in cluster], weight)
    return {"center": middle[:3], "size": middle[3:], "yaw": yaw}


def consensus(answers: Sequence[Sequence[Item]], skills: Sequence[float] | None = None) -> list[ConsensusCuboid]:
    """Return the objects that the annotators of one record agree on, most certain first.

    Parameters
    ----------
    answers
        Per annotator the cuboids ``{"class": index, "center": [x, y, z], "size": [l, w, h], "yaw": radians}``; an empty
        list says that there is nothing.
    skills
        Per annotator, in (0, 1).

    Raises
    ------
    ValueError
        Naming the annotator and the cuboid that is none: see :func:`check`.
    """
    share = weights.of_skills(skills, len(answers))
    for person, cuboids in enumerate(answers):
        for number, cuboid in enumerate(cuboids):
            try:
                check(cuboid)
            except ValueError as error:
                raise ValueError(f"answer {person}, cuboid {number}: {error}") from error
    found = matching.clusters(answers, share, iou, lambda cluster: _merged(cluster, share), LEAST_OVERLAP)
    objects = []
    for cluster in found:
        index, seen, agreed = matching.elected(cluster, share)
        merged = _merged(cluster, share)
        center, size = (tuple(map(float, merged[name])) for name in ("center", "size"))
        objects.append(ConsensusCuboid(index, center, size, merged["yaw"], seen, agreed))  # type: ignore[arg-type]
    return sorted((item for item in objects if item.confidence > matching.QUORUM), key=lambda item: -item.confidence)


def mean_iou(first: Sequence[Item], second: Sequence[Item]) -> float:
    """Return agreement of two annotators on a record, as :func:`matching.mean_overlap` counts it."""
    return matching.mean_overlap(first, second, iou)
