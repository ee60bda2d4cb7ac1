"""Multilabel: truth inference for each class on its own, yes or no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.guarded import guarded
from marketplace.core.aggregation.known import check


@dataclass(frozen=True, eq=False)
class MultilabelConsensus:
    """Probability that each record has each class, shape (n_tasks, n_classes), and the labels that reach a half."""

    probability: FloatArray

    @property
    def labels(self) -> list[list[int]]:
        """Class indices per record."""
        return [np.flatnonzero(row > 0.5).tolist() for row in self.probability]

    @property
    def confidence(self) -> FloatArray:
        """Probability that all of a record's labels are right, were its classes independent, shape (n_tasks,)."""
        return np.asarray(np.maximum(self.probability, 1 - self.probability).prod(axis=1))


def consensus(
    task: Sequence[int],
    annotator: Sequence[int],
    labels: Sequence[Sequence[int]],
    *,
    n_tasks: int,
    n_annotators: int,
    n_classes: int,
    gold: Mapping[int, Sequence[int]] | None = None,
) -> MultilabelConsensus:
    """Return each class's probability from answers that name sets of classes, in one entry per answer.

    Parameters
    ----------
    gold
        Record index -> the classes it is known to have; they teach each annotator's skill in each class.

    Notes
    -----
    Classes are independent of each other here; annotators have a confusion matrix per class, so that someone who
    overlooks one class keeps the trust in the others. Records without answers get the class's share.
    """
    tasks, people = np.asarray(task, dtype=np.int32), np.asarray(annotator, dtype=np.int32)
    named = np.zeros((len(labels), n_classes), dtype=np.int32)  # (n, n_classes)
    for row, indices in enumerate(labels):
        named[row, list(indices)] = 1
    probability = np.empty((n_tasks, n_classes))
    for index in range(n_classes):
        answers = Answers(tasks, people, named[:, index], n_tasks, n_annotators, 2)
        known = {record: int(index in labels) for record, labels in (gold or {}).items()}
        probability[:, index] = guarded(answers, check(answers, known, None)).posterior[:, 1]
    return MultilabelConsensus(probability)
