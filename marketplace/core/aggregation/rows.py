"""How annotators err: a full confusion matrix each, or one accuracy each."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from marketplace.core.aggregation.answers import Answers, FloatArray, sum_by

LARGEST_CONFUSION = 50_000_000
"""Most entries (annotators x classes x classes) a job may have for full confusion matrices: 400 MB."""


class Rows(Protocol):
    """A model of P(given label | true class) per annotator."""

    def log_likelihood(self, answers: Answers) -> FloatArray:
        """Return log P(answers on the record | true class), shape (n_tasks, n_classes)."""

    def log_row(self, annotator: int | None, label: int) -> FloatArray:
        """Return log P(label | true class) of one annotator, None for one never seen, shape (n_classes,)."""

    def confusion(self) -> FloatArray:
        """Return P(given | true) at [annotator, true, given], shape (n_annotators, n_classes, n_classes)."""

    def pooled(self) -> FloatArray:
        """Return P(given | true) of an annotator never seen, at [true, given]."""


@dataclass(frozen=True, eq=False)
class ConfusionRows:
    """A confusion matrix each: ``log_table[j * K + l, k]`` = log P(l | k) of annotator j; ``log_pooled[l, k]``."""

    log_table: FloatArray
    log_pooled: FloatArray

    def log_likelihood(self, answers: Answers) -> FloatArray:
        """One sparse product: O(answers x classes)."""
        return np.asarray(answers.design @ self.log_table)

    def log_row(self, annotator: int | None, label: int) -> FloatArray:
        """O(classes)."""
        if annotator is None:
            return np.asarray(self.log_pooled[label])
        return np.asarray(self.log_table[annotator * self.log_pooled.shape[0] + label])

    def confusion(self) -> FloatArray:
        """A copy in the usual order of axes."""
        n_classes = len(self.log_pooled)
        return np.exp(self.log_table.reshape(-1, n_classes, n_classes)).transpose(0, 2, 1)

    def pooled(self) -> FloatArray:
        """The crowd's matrix."""
        return np.exp(self.log_pooled).T


@dataclass(frozen=True, eq=False)
class OneCoinRows:
    """One accuracy each, errors spread evenly over the other classes."""

    accuracy: FloatArray
    pooled_accuracy: float
    n_classes: int

    def _logs(self, accuracy: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.log(accuracy), np.log((1 - accuracy) / max(self.n_classes - 1, 1))

    def log_likelihood(self, answers: Answers) -> FloatArray:
        """O(answers): each answer adds its log-odds to the class it names."""
        right, wrong = self._logs(self.accuracy)
        total_wrong = sum_by(answers.task, answers.weights * wrong[answers.annotator], answers.n_tasks)
        return answers.by_class(answers.weights * (right - wrong)[answers.annotator]) + total_wrong[:, np.newaxis]

    def log_row(self, annotator: int | None, label: int) -> FloatArray:
        """O(classes)."""
        own = self.pooled_accuracy if annotator is None else self.accuracy[annotator]
        right, wrong = self._logs(np.array([own]))
        row = np.full(self.n_classes, wrong[0])
        row[label] = right[0]
        return row

    def confusion(self) -> FloatArray:
        """Written out in full."""
        return one_coin_confusion(self.accuracy, self.n_classes)

    def pooled(self) -> FloatArray:
        """The crowd's matrix."""
        return np.asarray(one_coin_confusion(np.array([self.pooled_accuracy]), self.n_classes)[0])


def one_coin_confusion(accuracy: FloatArray, n_classes: int) -> FloatArray:
    """Return matrices with ``accuracy`` on the diagonal and the rest spread evenly, shape (n, n_classes, n_classes).

    >>> one_coin_confusion(np.array([0.8]), 3).round(2).tolist()
    [[[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]]
    """
    if n_classes == 1:
        return np.ones((len(accuracy), 1, 1))
    off = ((1 - accuracy) / (n_classes - 1))[:, np.newaxis, np.newaxis]
    return np.asarray(off + (accuracy[:, np.newaxis, np.newaxis] - off) * np.eye(n_classes))


def check_size(answers: Answers) -> None:
    """Raise ValueError when full confusion matrices of this job would not fit."""
    n_entries = answers.n_annotators * answers.n_classes**2
    if n_entries > LARGEST_CONFUSION:
        raise ValueError(
            f"{n_entries} confusion entries exceed {LARGEST_CONFUSION}: use method one_coin for this many classes"
        )
