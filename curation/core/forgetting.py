"""What a model forgot again: groups of records (classes, slices) that it knew in some epochs and knows less at the end.

A training is cut into spans of epochs. Of each group the last span is compared with every one before, record by record,
and a group is named only where the drop is sure in spite of all comparisons and of the model's own ups and downs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from curation.core.arrays import BoolArray, FloatArray, IntArray
from curation.core.trajectories import Trajectories

LEAST_DROP: Final = 0.05
"""A group is forgotten where at least this much of its accuracy is surely gone."""
_LEVEL = 0.95


class Curves:
    """Accuracy of each group epoch by epoch; O(groups x epochs) memory."""

    def __init__(self, n_groups: int, n_epochs: int) -> None:
        self._right, self._all = np.zeros((n_groups, n_epochs)), np.zeros((n_groups, n_epochs))

    def add(self, place: int, group: IntArray, right: BoolArray) -> None:
        """Take in an epoch: the group of each entry (below 0: of none), and whether the model was right."""
        group, right = group[group >= 0], right[group >= 0]
        self._right[:, place] += np.bincount(group, right, minlength=len(self._right))
        self._all[:, place] += np.bincount(group, minlength=len(self._all))

    @property
    def accuracy(self) -> FloatArray:
        """Accuracy, shape (groups, epochs); NaN where none of a group was seen."""
        return np.divide(self._right, self._all, out=np.full(self._right.shape, np.nan), where=self._all > 0)


@dataclass(frozen=True, slots=True)
class Change:
    """How a group fared: its accuracy over the whole of its best span before the last, and over the last.

    Attributes
    ----------
    group, n_records
        Which group; how many of its records were seen in both spans.
    span
        The span it is compared with: the one that shows the drop most surely.
    before, last
        Accuracy in that span and in the last one, over the same records.
    low, high
        Interval of the drop (before - last) that holds at 95 % for all groups and spans at once.
    """

    group: int
    n_records: int
    span: int
    before: float
    last: float
    low: float
    high: float

    @property
    def is_forgotten(self) -> bool:
        """Whether the group is surely known less than it was."""
        return self.low > LEAST_DROP


def changes(found: Trajectories, group: IntArray, curves: Curves, span_of: IntArray) -> list[Change]:
    """Return how each group with records in the last span and one before fared, the surest drop first.

    Parameters
    ----------
    found
        Trajectories of n records.
    group
        The group of each record, shape (n,); below 0: of none.
    curves
        Accuracy of the same groups by epoch, from which the model's own ups and downs are told.
    span_of
        Span of each epoch.

    Returns
    -------
    list of Change
        Empty where the training is too short to have two spans (below four epochs).

    Notes
    -----
    The difference of a record's share of right epochs in two spans is paired; half a record is added to each cell of
    its table, which keeps small groups honest. To the variance of its mean comes that of the epochs: all records of a
    group go up and down together as the model does, told by the steps of the group's curve. Bonferroni over
    groups x spans. O(n x spans) time.

    References
    ----------
    Agresti, Min (2005), Simple Improved Confidence Intervals for Comparing Matched Proportions.
    """
    n_groups, last = len(curves.accuracy), int(span_of[-1])
    if not last or not n_groups:
        return []
    z = float(special.ndtri(1 - (1 - _LEVEL) / 2 / (n_groups * last)))
    noise = np.array([_step(curve) for curve in curves.accuracy])  # (groups,)
    length = np.bincount(span_of)
    best: dict[int, Change] = {}
    for span in range(last):
        epochs_part = noise**2 * (1 / length[span] + 1 / length[last])
        for change in _compared(found, group, epochs_part, span, z):
            if change.group not in best or change.low > best[change.group].low:
                best[change.group] = change
    return sorted(best.values(), key=lambda one: (-one.low, one.group))


def _compared(found: Trajectories, group: IntArray, epochs_part: FloatArray, span: int, z: float) -> list[Change]:
    both = np.flatnonzero((group >= 0) & (found.n_seen[:, span] > 0) & (found.n_seen[:, -1] > 0))
    before, last = (found.n_right[both, at] / found.n_seen[both, at] for at in (span, -1))
    off, of = before - last, group[both]

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(of, values, minlength=len(epochs_part)), dtype=np.float64)

    n = np.bincount(of, minlength=len(epochs_part))
    mean = total(off) / (n + 2)
    error = np.sqrt(((total(off**2) + 1) / (n + 2) - mean**2) / (n + 2) + epochs_part)
    shares = total(before) / np.maximum(n, 1), total(last) / np.maximum(n, 1)
    return [
        Change(
            int(at),
            int(n[at]),
            span,
            float(shares[0][at]),
            float(shares[1][at]),
            max(float(mean[at] - z * error[at]), -1.0),
            min(float(mean[at] + z * error[at]), 1.0),
        )
        for at in np.flatnonzero(n)
    ]


def _step(curve: FloatArray) -> float:
    """Return how far a curve goes up and down from epoch to epoch, as a standard deviation.

    The greatest fall, and the greatest rise before it, are left out: a class is learned once, and may be lost once. A
    rise after the fall counts: what came back by itself was the model's unrest.
    """
    steps = np.diff(curve[~np.isnan(curve)])
    if len(steps) < 3:
        return float(np.sqrt(np.mean(steps**2) / 2)) if len(steps) else 0.0
    fall = int(steps.argmin())
    left_out = [fall, int(steps[:fall].argmax())] if fall else [fall]
    return float(np.sqrt(np.mean(np.delete(steps, left_out) ** 2) / 2))


def records(found: Trajectories, group: IntArray, change: Change) -> IntArray:
    """Return the rows of a group that were right more often in its better span than in the last, most first."""
    seen = (group == change.group) & (found.n_seen[:, change.span] > 0) & (found.n_seen[:, -1] > 0)
    rows = np.flatnonzero(seen)
    before, last = (found.n_right[rows, at] / found.n_seen[rows, at] for at in (change.span, -1))
    order = np.argsort(last - before, kind="stable")
    return rows[order][(before > last)[order]].astype(np.int64)


def leaning(found: Trajectories, n_classes: int) -> FloatArray:
    """Return how often each class was said last for each time it is the label, shape (n_classes,); NaN without labels.

    1 is even; below, the model leans away from the class, as after it forgot it; above, towards it.
    """
    seen = found.label >= 0
    said, labeled = (np.bincount(values[seen], minlength=n_classes) for values in (found.last_top1, found.label))
    return np.divide(said, labeled, out=np.full(n_classes, np.nan), where=labeled > 0)
