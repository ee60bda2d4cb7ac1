"""BWA (Bayesian weighted average): per class, a record's value is the precision-weighted mean of its answers.

References
----------
Y. Li, B. I. P. Rubinstein, T. Cohn (2019), Truth inference at scale: a Bayesian model for adjudicating highly redundant
crowd annotations, section 3 (a Gaussian value per record and class, a gamma precision per annotator and class).
"""

import numpy as np

from marketplace.core.aggregation import described, registry
from marketplace.core.aggregation.answers import Answers, FloatArray, sum_by
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.majority import vote_shares
from marketplace.core.aggregation.result import Aggregation

SHAPE = 15.0
"""Shape of the gamma prior of the precisions, in half-answers."""
PRECISION = 1.0
"""Precision of the prior of a record's value, whose mean is the class share or the classifier's opinion."""
TOLERANCE = 1e-3
MAX_STEPS = 500
LEAST_RATE = 1e-6


def of_class(answers: Answers, known: Known, index: int, value: FloatArray) -> FloatArray:
    """Return each record's value for one class, shape (n_tasks,), from vote shares of the same shape."""
    says = (answers.label == index).astype(np.float64)
    counts = known.is_taught[answers.task].astype(np.float64)
    n = sum_by(answers.annotator, counts, answers.n_annotators)
    is_answered = answers.per_task > 0
    spread = float((answers.per_task * value * (1 - value)).sum()) / max(len(answers), 1)
    rate = max(SHAPE * spread * 4 * (1 - 1 / answers.n_classes), LEAST_RATE)
    gold = np.flatnonzero(known.gold >= 0)
    for _ in range(MAX_STEPS):
        share = value[is_answered].mean() if is_answered.any() else 1 / answers.n_classes
        center: FloatArray = np.full(answers.n_tasks, share)
        if known.prior is not None:
            center = np.where(np.isnan(known.prior[:, index]), center, known.prior[:, index])
        miss = sum_by(answers.annotator, counts * (value[answers.task] - says) ** 2, answers.n_annotators)
        precision = ((SHAPE + n) / (rate + miss))[answers.annotator]
        total = PRECISION + sum_by(answers.task, precision, answers.n_tasks)
        updated = (PRECISION * center + sum_by(answers.task, precision * says, answers.n_tasks)) / total
        updated[gold] = known.gold[gold] == index
        is_settled = np.abs(updated - value).max(initial=0.0) < TOLERANCE
        value = updated
        if is_settled:
            break
    return value


@registry.register("bwa")
def bwa(answers: Answers, known: Known) -> Aggregation:
    """Return the values of all classes, scaled to sum to 1 on each record."""
    start = vote_shares(answers, known)
    columns = [of_class(answers, known, index, start[:, index]) for index in range(answers.n_classes)]
    values = np.maximum(np.column_stack(columns), 1e-12)
    return described.described("bwa", answers, known, known.clamp(values / values.sum(axis=1, keepdims=True)))
