"""Masks: each pixel's belief from annotators with a sensitivity and a specificity of their own.

References
----------
S. K. Warfield, K. H. Zou, W. M. Wells (2004), Simultaneous truth and performance level estimation (STAPLE),
equations 12 to 19.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import weights

MOST_ANNOTATORS = 60
PSEUDO_PIXELS = 4.0
"""Pixels that the starting belief in an annotator's skill is worth."""
STEPS, TOLERANCE = 100, 1e-6


@dataclass(frozen=True, eq=False)
class ConsensusMask:
    """Belief per pixel, shape of the masks; each annotator's sensitivity and specificity, shape (n_annotators,)."""

    probability: FloatArray
    sensitivity: FloatArray
    specificity: FloatArray

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Pixels more likely in than out."""
        return np.asarray(self.probability > 0.5)


def consensus(masks: Sequence[npt.ArrayLike], skills: Sequence[float] | None = None) -> ConsensusMask:
    """Return the consensus of one record's masks.

    Parameters
    ----------
    masks
        Per annotator an array of booleans (or of 0 and 1), all of one shape.
    skills
        Per annotator, in (0, 1): where sensitivity and specificity start from.

    Returns
    -------
    ConsensusMask
        With two annotators or fewer the weighted vote: who errs cannot be told.

    Raises
    ------
    ValueError
        When nobody answered, shapes differ, a value is neither 0 nor 1 (NaN included), or there are more than 60.

    Notes
    -----
    Pixels with the same votes are one case, so the time is that of sorting the pixels. Only pixels on which somebody
    disagrees decide the prior: a vast background does not drown a small object.

    Examples
    --------
    >>> consensus([[[1, 1, 0]], [[1, 0, 0]], [[1, 1, 0]]]).mask.tolist()
    [[True, True, False]]
    """
    share = weights.of_skills(skills, len(masks))
    votes = _stacked(masks)  # (n_annotators, n_pixels)
    shape = np.shape(masks[0])
    cases, where, count = np.unique(votes, axis=1, return_inverse=True, return_counts=True)
    where = where.ravel()
    start = np.asarray(skills if skills is not None else np.full(len(masks), 0.9), dtype=np.float64)
    vote = share @ cases
    if len(masks) <= 2:
        return ConsensusMask(vote[where].reshape(shape), start, start)
    belief, sensitivity, specificity = _fitted(cases.astype(np.float64), count.astype(np.float64), vote, start)
    return ConsensusMask(belief[where].reshape(shape), sensitivity, specificity)


def _stacked(masks: Sequence[npt.ArrayLike]) -> npt.NDArray[np.uint8]:
    if len(masks) > MOST_ANNOTATORS:
        raise ValueError(f"{len(masks)} masks of one record; at most {MOST_ANNOTATORS}")
    arrays = [np.asarray(mask) for mask in masks]
    for person, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise ValueError(f"mask {person} has shape {array.shape}, the first {arrays[0].shape}")
        if not np.isin(array, (0, 1)).all():
            raise ValueError(f"mask {person} holds values other than 0 and 1")
    return np.stack([array.ravel() for array in arrays]).astype(np.uint8)


def _fitted(
    cases: FloatArray, count: FloatArray, belief: FloatArray, start: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return belief per case and the annotators' sensitivity and specificity, by expectation maximisation."""
    is_disputed = (cases.min(axis=0) == 0) & (cases.max(axis=0) == 1)
    sensitivity = specificity = start
    for _ in range(STEPS):
        inside, outside = belief * count, (1 - belief) * count
        sensitivity = (cases @ inside + PSEUDO_PIXELS * start) / (inside.sum() + PSEUDO_PIXELS)
        specificity = ((1 - cases) @ outside + PSEUDO_PIXELS * start) / (outside.sum() + PSEUDO_PIXELS)
        disputed = inside[is_disputed].sum() + 1, outside[is_disputed].sum() + 1
        sensitivity, specificity = (np.clip(part, 1e-6, 1 - 1e-6) for part in (sensitivity, specificity))
        odds = np.log(sensitivity) @ cases + np.log(1 - sensitivity) @ (1 - cases)
        odds -= np.log(1 - specificity) @ cases + np.log(specificity) @ (1 - cases)
        updated = 1 / (1 + np.exp(np.clip(-odds - np.log(disputed[0] / disputed[1]), -500, 500)))
        updated = np.where(is_disputed, updated, cases[0])  # what all say stands
        if np.abs(updated - belief).max(initial=0.0) < TOLERANCE:
            break
        belief = updated
    return belief, sensitivity, specificity


def iou(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return agreement of two masks; 1 when both are empty.

    >>> iou([[1, 1, 0]], [[0, 1, 1]]), iou([[0]], [[0]])
    (0.3333333333333333, 1.0)
    """
    one, two = _stacked([first, second]).astype(np.bool_)
    either = int((one | two).sum())
    return 1.0 if either == 0 else float((one & two).sum()) / either
