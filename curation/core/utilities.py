"""From a model's outputs on boxes, masks, tags, numbers and spans to one utility per record; higher = worth labeling.

Each result is an array (n_records,) that `Problem.utility` takes, so that every strategy can go by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray

Pooling = Literal["sum", "mean", "max", "sqrt"]
POOLINGS: Final = ("sum", "mean", "max", "sqrt")


@dataclass(frozen=True, eq=False)
class Boxes:
    """What a detector found on one record.

    Attributes
    ----------
    corners
        Left, top, right, bottom of each box, shape (b, 4); right >= left, bottom >= top.
    proba
        Class probabilities of each box, shape (b, k), k >= 1; rows need not sum to one (background is left out).
    """

    corners: FloatArray
    proba: FloatArray

    def __post_init__(self) -> None:
        if self.corners.ndim != 2 or self.corners.shape[1] != 4 or len(self.corners) != len(self.proba):
            raise ValueError(
                f"boxes must be (b, 4), one row of probabilities each: {self.corners.shape}, {self.proba.shape}"
            )
        _check_ratios(self.proba)
        if not np.isfinite(self.corners).all() or (self.corners[:, 2:] < self.corners[:, :2]).any():
            raise ValueError("boxes must be finite with right >= left and bottom >= top")


def pool(values: Sequence[FloatArray], how: Pooling = "sqrt") -> FloatArray:
    """Return one utility per record from the uncertainties of its objects, shape (n,); 0 for a record without objects.

    Parameters
    ----------
    values
        Uncertainty of each object, in [0, 1], one array per record.
    how
        ``sum`` prefers crowded records, ``mean`` and ``max`` forget how many objects there are; ``sqrt`` (default) is
        the sum over the square root of the count: at equal mean, four times the objects give twice the utility.

    References
    ----------
    Brust, Kaeding, Denzler (2019), Active Learning for Deep Object Detection (sum, average, maximum).

    Examples
    --------
    >>> pool([np.array([0.5, 0.5, 0.5, 0.5]), np.array([0.5]), np.array([])], "sqrt").tolist()
    [1.0, 0.5, 0.0]
    """
    if how not in POOLINGS:
        raise ValueError(f"unknown pooling {how!r}; choose one of {', '.join(POOLINGS)}")
    result = np.zeros(len(values))
    for at, objects in enumerate(values):
        if len(objects):
            by: dict[str, float] = {"sum": 1.0, "mean": len(objects), "sqrt": float(np.sqrt(len(objects)))}
            result[at] = objects.max() if how == "max" else objects.sum() / by[how]
    return result


def object_uncertainty(proba: FloatArray) -> FloatArray:
    """Return the uncertainty of each object, shape (b,), in [0, 1]: 1 where classes (or object and background) tie.

    One column is the score of being there at all: 1 - |2 p - 1|. More columns: 1 minus the margin of the best two.

    >>> object_uncertainty(np.array([[0.5], [1.0], [0.1]])).round(6).tolist()
    [1.0, 0.0, 0.2]
    """
    _check_ratios(proba)
    if proba.shape[1] == 1:
        return np.asarray(1 - np.abs(2 * proba[:, 0] - 1))
    best = np.partition(proba, -2, axis=1)[:, -2:]  # (b, 2)
    return np.asarray(1 - (best[:, 1] - best[:, 0]))


def rarity(proba: FloatArray, counts: IntArray) -> FloatArray:
    """Return a weight per object that is above 1 for classes with few labeled objects, shape (b,).

    The weight of a class is (mean count + 1) / (its count + 1), capped at 10, expected over the object's classes.

    >>> rarity(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([9, 0])).round(3).tolist()
    [0.55, 5.5]
    """
    weights = np.minimum((counts.mean() + 1) / (counts + 1), 10.0)  # (k,)
    total = np.maximum(proba.sum(axis=1), 1e-12)
    return np.asarray(proba @ weights / total)


def detection(records: Sequence[Boxes], *, how: Pooling = "sqrt", counts: IntArray | None = None) -> FloatArray:
    """Return the utility of records from their boxes' uncertainties, weighed by class rarity where counts are given."""
    values = []
    for boxes in records:
        own = object_uncertainty(boxes.proba) if len(boxes.proba) else np.zeros(0)
        values.append(own if counts is None or not len(own) else own * rarity(boxes.proba, counts))
    return pool(values, how)


def iou(A: FloatArray, B: FloatArray) -> FloatArray:
    """Return intersection over union of boxes, shape (len(A), len(B)), in [0, 1]; 0 for boxes without area.

    >>> iou(np.array([[0., 0, 2, 2]]), np.array([[1., 0, 3, 2], [0, 0, 2, 2]])).round(3).tolist()
    [[0.333, 1.0]]
    """
    low = np.maximum(A[:, None, :2], B[None, :, :2])
    high = np.minimum(A[:, None, 2:], B[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)  # (a, b)
    area = (A[:, 2:] - A[:, :2]).prod(axis=1)[:, None] + (B[:, 2:] - B[:, :2]).prod(axis=1)[None, :] - shared
    return np.asarray(np.where(area > 0, shared / np.where(area > 0, area, 1), 0.0))


def box_disagreement(first: Sequence[Boxes], second: Sequence[Boxes]) -> FloatArray:
    """Return how much two models (or two augmentations) disagree on each record, shape (n,), in [0, 1].

    Boxes are matched one to one for the highest total of overlap x agreement in class; what is missing from 1 is
    averaged over matched and unmatched boxes. Two empty records agree.

    Notes
    -----
    O(a b) memory and O(max(a, b)^3) time per record (assignment).
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} records of one model, {len(second)} of the other")
    result = np.zeros(len(first))
    for at, (one, other) in enumerate(zip(first, second, strict=True)):
        n = max(len(one.corners), len(other.corners))
        if not n:
            continue
        same = _class_agreement(one.proba, other.proba) * iou(one.corners, other.corners)
        rows, columns = optimize.linear_sum_assignment(-same)
        result[at] = 1 - same[rows, columns].sum() / n
    return result


def _class_agreement(P: FloatArray, Q: FloatArray) -> FloatArray:
    """Return 1 - total variation between the normalised class beliefs of each pair, shape (a, b)."""
    if P.shape[1] != Q.shape[1]:
        raise ValueError(f"one model knows {P.shape[1]} classes, the other {Q.shape[1]}")
    P = P / np.maximum(P.sum(axis=1, keepdims=True), 1e-12)
    Q = Q / np.maximum(Q.sum(axis=1, keepdims=True), 1e-12)
    return np.asarray(np.minimum(P[:, None, :], Q[None, :, :]).sum(axis=2))


def masks(proba: Sequence[npt.NDArray[np.floating]], *, share: float = 0.1) -> FloatArray:
    """Return the utility of records from their masks' pixel probabilities, shape (n,), in [0, 1].

    Parameters
    ----------
    proba
        Per record (h, w) for one class or (h, w, k) for several whose last axis sums to one.
    share
        Share of pixels that count, the most uncertain ones: a small object must not drown in background. Default .1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share:g}")
    result = np.zeros(len(proba))
    for at, pixels in enumerate(proba):
        flat = np.asarray(pixels, dtype=np.float64).reshape(-1, pixels.shape[2] if pixels.ndim == 3 else 1)
        _check_ratios(flat)
        entropy = np.sort(_binary_entropy(flat[:, 0]) if flat.shape[1] == 1 else _entropy(flat))
        result[at] = entropy[-max(1, round(share * len(entropy))) :].mean() if len(entropy) else 0.0
    return result


def multilabel(proba: FloatArray) -> FloatArray:
    """Return the mean binary entropy over tags, shape (n,), in [0, 1].

    >>> multilabel(np.array([[0.5, 0.5], [1.0, 0.5], [0.0, 1.0]])).tolist()
    [1.0, 0.5, 0.0]
    """
    _check_ratios(proba)
    return np.asarray(_binary_entropy(proba).mean(axis=1))


def regression(predictions: FloatArray, scale: FloatArray | None = None) -> FloatArray:
    """Return the variance between the members of an ensemble, shape (n,).

    Parameters
    ----------
    predictions
        Shape (members, n) or (members, n, targets), at least two members.
    scale
        Spread of each target, shape (targets,), so that metres and degrees can be added; default: their own spread.

    Examples
    --------
    >>> regression(np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([1.0])).tolist()
    [1.0, 0.0]
    """
    if predictions.ndim not in {2, 3} or len(predictions) < 2 or not np.isfinite(predictions).all():
        raise ValueError(f"need finite predictions of at least two members, (m, n[, t]), got {predictions.shape}")
    values = predictions.reshape(len(predictions), predictions.shape[1], -1)
    spread = values.mean(axis=0).std(axis=0) if scale is None else np.asarray(scale, dtype=np.float64)
    return np.asarray((values.var(axis=0) / np.where(spread > 0, spread, 1) ** 2).mean(axis=1))


def spans(token_proba: Sequence[FloatArray], *, outside: int = 0, how: Pooling = "sqrt") -> FloatArray:
    """Return the utility of texts from their tokens' tag probabilities, shape (n,).

    Each span of neighbouring tokens whose best tag is not `outside` is one object, as unsure as its least sure token;
    a token that is nearly a span (outside, but by less than half) is one too, so that missed spans count.

    Parameters
    ----------
    token_proba
        Per text (tokens, tags); rows sum to one.
    outside
        Index of the tag "no span".
    """
    values = []
    for proba in token_proba:
        if not len(proba):
            values.append(np.zeros(0))
            continue
        doubt, best = object_uncertainty(proba), proba.argmax(axis=1)
        starts = np.flatnonzero(np.diff(best, prepend=outside) != 0)
        found = [
            doubt[start:end].max()
            for start, end in zip(starts, np.append(starts[1:], len(best))[: len(starts)], strict=True)
            if best[start] != outside
        ]
        missed = doubt[(best == outside) & (doubt > 0.5)]
        values.append(np.concatenate([np.array(found, dtype=np.float64), missed]))
    return pool(values, how)


def from_log(top1_p: FloatArray, top2_p: FloatArray) -> FloatArray:
    """Return the utility of records from what a training log says of them, shape (n,), in [0, 1]: 1 where two tie.

    Parameters
    ----------
    top1_p, top2_p
        Probabilities of the best two classes, each shape (n,): no record, embedding or class name is needed.

    Examples
    --------
    >>> from_log(np.array([0.5, 0.9]), np.array([0.5, 0.1])).round(6).tolist()
    [1.0, 0.2]
    """
    _check_ratios(np.column_stack([top1_p, top2_p]))
    if (top2_p > top1_p).any():
        raise ValueError(f"top2_p is above top1_p in {int((top2_p > top1_p).sum())} records")
    return np.asarray(1 - (top1_p - top2_p))


def sketch(top1: IntArray, top1_p: FloatArray, top2: IntArray, top2_p: FloatArray, n_classes: int) -> Float32Array:
    """Return the class probabilities as far as a log tells them, shape (n, n_classes): features without any other.

    >>> sketch(np.array([1]), np.array([0.75]), np.array([0]), np.array([0.25]), 3).tolist()
    [[0.25, 0.75, 0.0]]
    """
    told = np.zeros((len(top1), n_classes), dtype=np.float32)
    rows = np.arange(len(top1))
    told[rows, top1], told[rows, top2] = top1_p, top2_p
    return told


def _binary_entropy(p: FloatArray) -> FloatArray:
    return np.asarray((special.entr(p) + special.entr(1 - p)) / np.log(2))


def _entropy(proba: FloatArray) -> FloatArray:
    return np.asarray(special.entr(proba).sum(axis=1) / np.log(proba.shape[1]))


def _check_ratios(values: FloatArray) -> None:
    good: BoolArray = np.isfinite(values) & (values >= 0) & (values <= 1)
    if values.ndim != 2 or not values.shape[1] or not good.all():
        bad = int(np.argmin(good.all(axis=1))) if values.ndim == 2 and len(values) else 0
        raise ValueError(f"probabilities must lie in [0, 1], shape (n, k); got {values.shape}, first bad row {bad}")
