"""How a model came to see each record while it was trained: sure or not, steadily or not, learned and forgotten again.

A training log is read once, epoch after epoch in order; what is kept is a few numbers a record, however long it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core.arrays import BoolArray, FloatArray, IntArray

MOST_SPANS: Final = 8
"""Into how many spans of epochs a training is cut at most; each has at least two epochs where there are four."""
EARLY_EPOCHS: Final = 10
"""Epochs over which EL2N is averaged: later ones say what was memorised."""


@dataclass(frozen=True, eq=False)
class Epoch:
    """What a log says of one epoch, one entry a record.

    Attributes
    ----------
    rows
        Places of the records, shape (m,), each once.
    label, top1, top2
        Class indices: the label, what the model finds most and second most probable, each shape (m,).
    p_label, top1_p, top2_p
        Their probabilities, in [0, 1].
    margin
        Score (logit) of the label minus the highest score of another class.
    """

    rows: IntArray
    label: IntArray
    p_label: FloatArray
    margin: FloatArray
    top1: IntArray
    top1_p: FloatArray
    top2: IntArray
    top2_p: FloatArray

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(lengths) > 1:
            raise ValueError(f"an epoch needs one entry a record in each column, got {sorted(lengths)} entries")
        if len(np.unique(self.rows)) < len(self.rows):
            raise ValueError(f"{len(self.rows)} entries of an epoch are of {len(np.unique(self.rows))} records only")
        if not all(np.isfinite(values).all() for values in (self.p_label, self.margin, self.top1_p, self.top2_p)):
            raise ValueError("probabilities and margins of labeled records must be finite")

    @property
    def right(self) -> BoolArray:
        """Whether the most probable class is the label, shape (m,)."""
        return np.asarray(self.top1 == self.label)

    @property
    def el2n(self) -> FloatArray:
        """Length of the error vector p - y, shape (m,), in [0, sqrt 2].

        Of other classes than the label the log has the best two at most: what is left of the probability, r, is taken
        as spread thinly, so that the square is too low by no more than r times the second best probability.

        References
        ----------
        Paul, Ganguli, Dziugaite (2021), Deep Learning on a Data Diet.
        """
        first = np.where(self.top1 == self.label, 0.0, self.top1_p)
        second = np.where(self.top2 == self.label, 0.0, self.top2_p)
        return np.sqrt((1 - self.p_label) ** 2 + first**2 + second**2)


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Each record's way through a training; arrays of shape (n,), NaN or -1 where a record was never seen.

    Attributes
    ----------
    label
        Class index; where it changed, the last one, and all else counts from then on.
    n_epochs
        In how many epochs the record was seen.
    mean_p, variance
        Mean probability of the label and its variance over epochs: low and steady is wrong or very hard, high and
        steady is easy, unsteady is what a label teaches most.
    aum
        Area under the margin: its mean over epochs. The lower, the likelier the label is wrong.
    n_forgotten
        How often the record was right in one epoch and wrong in the next.
    was_right
        Whether it was ever right: what was never learned cannot be forgotten.
    last_top1
        What the model said last.
    el2n
        Mean length of the error over the first ten epochs.
    n_right, n_seen
        In how many epochs of each span the record was right, and seen, shape (n, spans).

    References
    ----------
    Swayamdipta et al. (2020), Dataset Cartography; Pleiss et al. (2020), Identifying Mislabeled Data using the Area
    Under the Margin Ranking; Toneva et al. (2019), An Empirical Study of Example Forgetting.
    """

    label: IntArray
    n_epochs: IntArray
    mean_p: FloatArray
    variance: FloatArray
    aum: FloatArray
    n_forgotten: IntArray
    was_right: BoolArray
    last_top1: IntArray
    el2n: FloatArray
    n_right: IntArray
    n_seen: IntArray

    @property
    def suspects(self) -> IntArray:
        """Rows by how likely their label is wrong, likeliest first: lowest area under the margin, ties by row."""
        return np.argsort(self.aum, kind="stable").astype(np.int64)


class Dynamics:
    """What is kept of each record while epochs come in.

    Parameters
    ----------
    n
        How many records there are.
    epochs
        Numbers of all epochs there will be, rising.

    Notes
    -----
    O(n) memory, whatever the number of epochs; O(m) time an epoch of m entries. Deterministic.
    """

    def __init__(self, n: int, epochs: Sequence[int]) -> None:
        if not len(epochs) or any(np.diff(epochs) <= 0):
            raise ValueError(f"epochs must be at least one and rise, got {list(epochs)[:5]}")
        self.span_of = spans(len(epochs))
        self._at = {int(number): place for place, number in enumerate(epochs)}
        self._next = 0
        n_spans = int(self.span_of[-1]) + 1
        self._label, self._last = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
        self._sums = np.zeros((n, 4))  # mean of p, squares about it, sum of margins, sum of early EL2N
        self._counts = np.zeros((n, 3), np.int64)  # epochs, early epochs, times forgotten
        self._was_right, self._is_right = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        self._n_right, self._n_seen = np.zeros((n, n_spans), np.int32), np.zeros((n, n_spans), np.int32)

    def add(self, number: int, epoch: Epoch) -> int:
        """Take in the next epoch; return its place among all.

        Raises
        ------
        ValueError
            When the epoch is none of those announced, or comes after a later one.
        """
        place = self._at.get(number, -1)
        if place < self._next:
            raise ValueError(f"epoch {number} is not announced, or comes after a later one")
        self._next = place + 1
        rows, right = epoch.rows, epoch.right
        self._begin_anew(rows[(self._label[rows] >= 0) & (self._label[rows] != epoch.label)])
        self._label[rows], self._last[rows] = epoch.label, epoch.top1
        self._counts[rows, 0] += 1
        off = epoch.p_label - self._sums[rows, 0]  # Welford (1962): one pass, no cancellation
        self._sums[rows, 0] += off / self._counts[rows, 0]
        self._sums[rows, 1] += off * (epoch.p_label - self._sums[rows, 0])
        self._sums[rows, 2] += epoch.margin
        if place < EARLY_EPOCHS:
            self._sums[rows, 3] += epoch.el2n
            self._counts[rows, 1] += 1
        self._counts[rows, 2] += self._is_right[rows] & ~right
        self._is_right[rows] = right
        self._was_right[rows] |= right
        self._n_right[rows, self.span_of[place]] += right
        self._n_seen[rows, self.span_of[place]] += 1
        return place

    def _begin_anew(self, rows: IntArray) -> None:
        """Forget what was told of another label."""
        for kept in (self._sums, self._counts, self._was_right, self._is_right, self._n_right, self._n_seen):
            kept[rows] = 0

    def trajectories(self) -> Trajectories:
        """Return what the epochs so far say."""
        n_epochs, n_early, n_forgotten = (self._counts[:, at].copy() for at in range(3))
        seen = np.where(n_epochs > 0, n_epochs, np.nan)
        return Trajectories(
            label=self._label.copy(),
            n_epochs=n_epochs,
            mean_p=np.where(n_epochs > 0, self._sums[:, 0], np.nan),
            variance=self._sums[:, 1] / seen,
            aum=self._sums[:, 2] / seen,
            n_forgotten=n_forgotten,
            was_right=self._was_right.copy(),
            last_top1=self._last.copy(),
            el2n=self._sums[:, 3] / np.where(n_early > 0, n_early, np.nan),
            n_right=self._n_right.astype(np.int64),
            n_seen=self._n_seen.astype(np.int64),
        )


def spans(n_epochs: int) -> IntArray:
    """Return the span of each epoch, shape (n_epochs,): up to eight of nearly equal length.

    >>> spans(9).tolist(), spans(3).tolist()
    ([0, 0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 0])
    """
    n_spans = max(min(MOST_SPANS, n_epochs // 2), 1)
    return np.arange(n_epochs, dtype=np.int64) * n_spans // n_epochs
