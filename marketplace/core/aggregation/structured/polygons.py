"""Polygons: matched by area, kept by quorum, the outline nearest to the pixel vote.

The outline returned is one that an annotator drew, so it is simple whenever the answers are. Areas are compared on a
grid of points, which needs no geometry library and knows no special cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import matching, weights
from marketplace.core.aggregation.structured.matching import Cluster, Item
from marketplace.core.checks.polygons import area, crosses_itself

GRID = 128
"""Points along each side of the box around the shapes compared: areas are right to about 1 %."""
Ring = Sequence[Sequence[float]]
BoolGrid = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ConsensusPolygon:
    """One object: class, ring of points, weight of who saw it, share of it for the class, IoU with the pixel vote."""

    class_index: int
    points: tuple[tuple[float, float], ...]
    confidence: float
    class_confidence: float
    outline_agreement: float


def check(polygon: Item) -> None:
    """Raise ValueError for a ring that is no simple polygon: the rule is that such an answer is sent back, not mended.

    Fewer than three points, a coordinate that is not finite, no area, or an outline that crosses or touches itself.
    """
    points = np.asarray(polygon["points"], dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError(f"a polygon needs at least 3 points [x, y], got shape {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError(f"point {int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])} is not finite")
    if np.ptp(points[:, 0]) == 0 or np.ptp(points[:, 1]) == 0:
        raise ValueError("the polygon has no area")
    if crosses_itself(points.tolist()):
        raise ValueError("the outline crosses or touches itself")
    if area(points.tolist()) <= 0:
        raise ValueError("the polygon has no area")


def inside(ring: Ring, x: FloatArray, y: FloatArray) -> BoolGrid:
    """Return which grid points lie inside (even-odd rule), shape (len(y), len(x)).

    >>> inside([[0, 0], [2, 0], [2, 2], [0, 2]], np.array([1.0, 3.0]), np.array([1.0])).tolist()
    [[True, False]]
    """
    found = np.zeros((len(y), len(x)), dtype=np.bool_)
    points = np.asarray(ring, dtype=np.float64)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        rows = np.flatnonzero((y0 > y) != (y1 > y))
        if len(rows):
            crossing = x0 + (y[rows] - y0) * (x1 - x0) / (y1 - y0)
            found[rows] ^= x[np.newaxis, :] < crossing[:, np.newaxis]
    return found


def rasters(rings: Sequence[Ring]) -> list[BoolGrid]:
    """Return the shapes on one common grid around them all."""
    points = np.vstack([np.asarray(ring, dtype=np.float64) for ring in rings])
    low, high = points.min(axis=0), points.max(axis=0)
    steps = (np.arange(GRID) + 0.5) / GRID
    x, y = (low[axis] + steps * (high[axis] - low[axis]) for axis in (0, 1))
    return [inside(ring, x, y) for ring in rings]


def _overlap(one: BoolGrid, other: BoolGrid) -> float:
    return float((one & other).sum()) / max(int((one | other).sum()), 1)


def iou(first: Sequence[Item], second: Sequence[Item]) -> FloatArray:
    """Return intersection over union, shape (n_first, n_second); 0 where the boxes around two rings do not meet."""
    found = np.zeros((len(first), len(second)))
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            if _boxes_meet(one["points"], other["points"]):
                found[row, column] = _overlap(*rasters([one["points"], other["points"]]))
    return found


def _boxes_meet(one: Ring, other: Ring) -> bool:
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    return bool(np.all(a.min(axis=0) < b.max(axis=0)) and np.all(b.min(axis=0) < a.max(axis=0)))


def consensus(answers: Sequence[Sequence[Item]], skills: Sequence[float] | None = None) -> list[ConsensusPolygon]:
    """Return the objects that the annotators of one record agree on, most certain first.

    Parameters
    ----------
    answers
        Per annotator the polygons ``{"class": index, "points": [[x, y], ...]}``; an empty list says that there is
        nothing.
    skills
        Per annotator, in (0, 1).

    Raises
    ------
    ValueError
        Naming the annotator and the polygon that is none: see :func:`check`.
    """
    share = weights.of_skills(skills, len(answers))
    for person, polygons in enumerate(answers):
        for number, polygon in enumerate(polygons):
            try:
                check(polygon)
            except ValueError as error:
                raise ValueError(f"answer {person}, polygon {number}: {error}") from error
    found = matching.clusters(answers, share, iou, lambda cluster: _nearest(cluster, share)[0])
    objects = [_finished(cluster, share) for cluster in found]
    return sorted((item for item in objects if item.confidence > matching.QUORUM), key=lambda item: -item.confidence)


def _nearest(cluster: Cluster, share: FloatArray) -> tuple[Item, float]:
    """Return the drawn polygon nearest to the pixel vote of a cluster, and its overlap with the vote."""
    if len(cluster) == 1:
        return cluster[0][1], 1.0
    shapes = rasters([item["points"] for _, item in cluster])
    weight = np.array([share[person] for person, _ in cluster])
    vote = np.tensordot(weight, np.array(shapes, dtype=np.float64), axes=1) >= 0.5 * weight.sum()
    overlaps = [_overlap(shape, vote) for shape in shapes]
    best = int(np.argmax(overlaps))
    return cluster[best][1], overlaps[best]


def _finished(cluster: Cluster, share: FloatArray) -> ConsensusPolygon:
    index, seen, agreed = matching.elected(cluster, share)
    nearest, overlap = _nearest(cluster, share)
    points = tuple((float(x), float(y)) for x, y in nearest["points"])
    return ConsensusPolygon(index, points, seen, agreed, overlap)


def mean_iou(first: Sequence[Item], second: Sequence[Item]) -> float:
    """Return agreement of two annotators on a record, as :func:`matching.mean_overlap` counts it."""
    return matching.mean_overlap(first, second, iou)
