"""Boxes: matched by overlap, kept by quorum, averaged by skill."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import matching, weights
from marketplace.core.aggregation.structured.matching import Cluster
from marketplace.core.aggregation.structured.matching import Item as Box


@dataclass(frozen=True, eq=False)
class ConsensusBox:
    """One object: class index, [x, y, width, height], weight of who saw it, weight of who agrees on its class."""

    class_index: int
    box: tuple[float, float, float, float]
    confidence: float
    class_confidence: float


def iou(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return intersection over union of boxes [x, y, width, height], shape (n_first, n_second).

    >>> iou(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 2, 2.0], [5, 5, 1, 1]])).round(2).tolist()
    [[0.33, 0.0]]
    """
    a, b = first[:, np.newaxis], second[np.newaxis]
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    common = np.prod(np.maximum(high - low, 0), axis=-1)
    total = np.prod(a[..., 2:], axis=-1) + np.prod(b[..., 2:], axis=-1) - common
    return np.asarray(common / total)


def match(first: FloatArray, second: FloatArray, least: float = matching.LEAST_OVERLAP) -> list[tuple[int, int]]:
    """Return the pairs of indices of the best one-to-one matching in which each pair overlaps enough."""
    return matching.pairs(iou(first, second), least) if len(first) and len(second) else []


def _coordinates(boxes: Sequence[Box]) -> FloatArray:
    return np.array([box["box"] for box in boxes], dtype=np.float64).reshape(-1, 4)


def consensus(answers: Sequence[Sequence[Box]], skills: Sequence[float] | None = None) -> list[ConsensusBox]:
    """Return the objects that the annotators of one record agree on, most certain first.

    Parameters
    ----------
    answers
        Per annotator the canonical boxes ``{"class": index, "box": [x, y, width, height]}``; an empty list says that
        there is nothing.
    skills
        Per annotator, in (0, 1).

    Notes
    -----
    Clusters grow by matching each annotator's boxes (most skilled first) to the clusters' present mean boxes.
    Corners are weighted medians: one sloppy edge moves nothing. Ties by order of the answers.
    """
    share = weights.of_skills(skills, len(answers))
    clusters = matching.clusters(answers, share, _overlap, lambda cluster: {"box": _mean_box(cluster, share)})
    found = [_finished(cluster, share) for cluster in clusters]
    return sorted((box for box in found if box.confidence > matching.QUORUM), key=lambda box: -box.confidence)


def _overlap(first: Sequence[Box], second: Sequence[Box]) -> FloatArray:
    return iou(_coordinates(first), _coordinates(second))


def _mean_box(cluster: Cluster, share: FloatArray) -> FloatArray:
    boxes = _coordinates([box for _, box in cluster])
    corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])  # (n, 4)
    weight = share[[person for person, _ in cluster]]
    low_high = np.array([weighted_median(column, weight) for column in corners.T])
    return np.concatenate([low_high[:2], low_high[2:] - low_high[:2]])


def weighted_median(values: FloatArray, weight: FloatArray) -> float:
    """Return the middle of the values by weight; the mean of the middle two when they share it.

    >>> weighted_median(np.array([1.0, 2.0, 9.0]), np.ones(3)), weighted_median(np.array([1.0, 3.0]), np.ones(2))
    (2.0, 2.0)
    """
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    half = total[-1] / 2
    at = int(np.searchsorted(total, half * (1 - 1e-12)))
    if at + 1 < len(values) and abs(total[at] - half) <= 1e-9 * total[-1]:
        return float((values[order[at]] + values[order[at + 1]]) / 2)
    return float(values[order[at]])


def _finished(cluster: Cluster, share: FloatArray) -> ConsensusBox:
    best, seen, agreed = matching.elected(cluster, share)
    x, y, width, height = (float(value) for value in _mean_box(cluster, share))
    return ConsensusBox(best, (x, y, width, height), seen, agreed)


def mean_iou(first: Sequence[Box], second: Sequence[Box]) -> float:
    """Return agreement of two annotators on a record: summed overlap of matched boxes over the number of objects.

    1 when both see nothing; unmatched boxes count as 0.
    """
    return matching.mean_overlap(first, second, _overlap)
