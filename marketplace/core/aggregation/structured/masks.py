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

from marketplace.core import rle
from marketplace.core.aggregation.answers import FloatArray, sum_by
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
    disagrees decide the prior, and background counts as much as all else at most: a vast background neither drowns a
    small object nor makes one vote of three enough.

    Examples
    --------
    >>> consensus([[[1, 1, 0]], [[1, 0, 0]], [[1, 1, 0]]]).mask.tolist()
    [[True, True, False]]
    """
    votes = _stacked(masks)  # (n_annotators, n_pixels)
    belief, sensitivity, specificity = _believed(votes, np.ones(votes.shape[1]), skills)
    return ConsensusMask(belief.reshape(np.shape(masks[0])), sensitivity, specificity)


def consensus_of_runs(counts: Sequence[Sequence[int]], skills: Sequence[float] | None = None) -> list[int]:
    """Return the consensus of one object's masks, as run lengths (:mod:`marketplace.core.rle`), in that form.

    Parameters
    ----------
    counts
        Per annotator the run lengths, background first, all covering as many pixels.
    skills
        As for :func:`consensus`.

    Raises
    ------
    ValueError
        When nobody answered, the masks differ in size, or there are more than 60.

    Notes
    -----
    Where no annotator's run ends, all pixels have the same votes: such a stretch is one case of as many pixels as it is
    long. So the time goes by the number of runs, not of pixels.

    Examples
    --------
    >>> consensus_of_runs([[2, 4, 2], [2, 3, 3], [3, 3, 2]])
    [2, 4, 2]
    """
    if not 0 < len(counts) <= MOST_ANNOTATORS:
        raise ValueError(f"{len(counts)} masks of one record; at most {MOST_ANNOTATORS}")
    ends = [np.cumsum(np.asarray(runs, dtype=np.int64)) for runs in counts]
    sizes = {int(end[-1]) for end in ends}
    if len(sizes) != 1:
        raise ValueError(f"the masks cover {sorted(sizes)} pixels")
    cuts = np.unique(np.concatenate([[0], *ends]))
    votes = np.stack([np.searchsorted(end, cuts[:-1], side="right") % 2 for end in ends]).astype(np.uint8)
    belief, _, _ = _believed(votes, np.diff(cuts).astype(np.float64), skills)
    inside = belief > 0.5
    runs = np.zeros(len(inside) * 2, dtype=np.int64)
    runs[2 * np.arange(len(inside)) + inside] = np.diff(cuts)
    return rle.tidied(runs.tolist())


def _believed(
    votes: npt.NDArray[np.uint8], pixels: FloatArray, skills: Sequence[float] | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the belief in each column of votes, which stands for so many pixels; sensitivity and specificity."""
    share = weights.of_skills(skills, len(votes))
    cases, where = np.unique(votes, axis=1, return_inverse=True)
    where = where.ravel()
    start = np.asarray(skills if skills is not None else np.full(len(votes), 0.9), dtype=np.float64)
    vote = share @ cases
    if len(votes) <= 2:
        return vote[where], start, start
    count = sum_by(where, pixels, cases.shape[1])
    belief, sensitivity, specificity = _fitted(cases.astype(np.float64), count, vote, start)
    return belief[where], sensitivity, specificity


def _stacked(masks: Sequence[npt.ArrayLike]) -> npt.NDArray[np.uint8]:
    if not masks:
        raise ValueError("a consensus needs at least 1 answer, got 0")
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
    # Background that nobody disputes says little of how carefully edges are drawn: it counts as the rest at most.
    is_background = cases.max(axis=0) == 0
    count = np.where(is_background, np.minimum(count, count[~is_background].sum()), count)
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
