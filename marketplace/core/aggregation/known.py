"""What is known beside the answers: gold labels and a classifier's opinion."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation.answers import Answers, BoolArray, FloatArray, IntArray

PRIOR_FLOOR = 0.01
"""Share of an answered record's prior taken from the class shares: annotators can always overrule a classifier."""


@dataclass(frozen=True, eq=False)
class Known:
    """Gold and prior of one job, checked against its answers.

    Attributes
    ----------
    gold
        Shape (n_tasks,), the known class or -1.
    prior
        Shape (n_tasks, n_classes), rows sum to 1, NaN rows where the classifier has no opinion; None without one.
    is_taught
        Shape (n_tasks,): answers on this record may feed their annotators' skill. False for a lone answer on a record
        without gold: it agrees with itself and proves nothing.
    """

    gold: IntArray
    prior: FloatArray | None
    is_taught: BoolArray

    @property
    def has_gold(self) -> bool:
        """Whether at least one record is gold."""
        return bool((self.gold >= 0).any())

    def without_gold(self, answers: Answers) -> "Known":
        """Return the same knowledge with the gold forgotten."""
        return Known(np.full_like(self.gold, -1), self.prior, answers.per_task >= 2)

    def clamp(self, posterior: FloatArray) -> FloatArray:
        """Return the posterior with certainty on gold records; the argument itself is changed."""
        rows = np.flatnonzero(self.gold >= 0)
        posterior[rows] = 0.0
        posterior[rows, self.gold[rows]] = 1.0
        return posterior

    def log_prior(self, class_prior: FloatArray) -> FloatArray:
        """Return the log prior per record, shape (n_tasks, n_classes) or (1, n_classes) without a classifier."""
        if self.prior is None:
            return np.log(class_prior)[np.newaxis]
        own = np.where(np.isnan(self.prior), class_prior, self.prior)
        return np.asarray(np.log((1 - PRIOR_FLOOR) * own + PRIOR_FLOOR * class_prior))


def check_gold(answers: Answers, gold: Mapping[int, int] | None) -> IntArray:
    """Return gold as an array of shape (n_tasks,), -1 where unknown; ValueError outside the job."""
    array = np.full(answers.n_tasks, -1, dtype=np.int32)
    for task, label in (gold or {}).items():
        if not 0 <= task < answers.n_tasks:
            raise ValueError(f"gold names record {task}, outside 0..{answers.n_tasks - 1}")
        if not 0 <= label < answers.n_classes:
            raise ValueError(f"gold of record {task} is class {label}, outside 0..{answers.n_classes - 1}")
        array[task] = label
    return array


def check_prior(answers: Answers, prior: npt.ArrayLike | None) -> FloatArray | None:
    """Return the prior with rows summing to 1; ValueError for a wrong shape, negative, infinite or all-zero rows."""
    if prior is None:
        return None
    array = np.array(prior, dtype=np.float64)
    if array.shape != (answers.n_tasks, answers.n_classes):
        raise ValueError(f"prior has shape {array.shape}, the job ({answers.n_tasks}, {answers.n_classes})")
    has_opinion = ~np.isnan(array).all(axis=1)
    sums = array[has_opinion].sum(axis=1)
    if not (np.all(array[has_opinion] >= 0) and np.all(np.isfinite(sums)) and np.all(sums > 0)):
        raise ValueError("prior rows must be non-negative, finite and not all zero (or all NaN for no opinion)")
    array[has_opinion] /= sums[:, np.newaxis]
    return array


def check(answers: Answers, gold: Mapping[int, int] | None, prior: npt.ArrayLike | None) -> Known:
    """Return what is known of the job, checked."""
    labels = check_gold(answers, gold)
    return Known(labels, check_prior(answers, prior), (answers.per_task >= 2) | (labels >= 0))
