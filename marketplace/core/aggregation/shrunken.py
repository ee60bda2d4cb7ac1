"""Confusion matrices shrunk to each annotator's own accuracy and to the crowd's matrix, with strengths learnt.

The strengths maximise the Dirichlet-multinomial evidence of the soft counts; the rest is expectation maximisation.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import special

from marketplace.core.aggregation import em, one_coin
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.rows import ConfusionRows, one_coin_confusion

START = (3.0, 3.0)
GRID = tuple(product((0.3, 1.0, 3.0, 10.0, 30.0, 100.0), (0.3, 1.0, 3.0, 10.0, 30.0)))
"""Pseudo-answers per true class: strength of the own one-coin row, strength of the crowd's row."""
POOLED_WEIGHT = 5.0
"""Pseudo-answers with which the crowd's own matrix is shrunk to its one-coin form."""
FIRST_STEPS = 15


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """Soft counts and the two matrices to which they are shrunk, all at [annotator, given, true]."""

    counts: FloatArray
    own: FloatArray
    pooled: FloatArray  # (given, true)

    def target(self, strengths: tuple[float, float]) -> FloatArray:
        """Return the Dirichlet parameters of each row."""
        return np.asarray(strengths[0] * self.own + strengths[1] * self.pooled)

    def evidence(self, strengths: tuple[float, float]) -> float:
        """Return the log-probability of the counts, up to a constant."""
        target, total = self.target(strengths), sum(strengths)
        by_cell = special.gammaln(self.counts + target) - special.gammaln(target)
        by_row = special.gammaln(self.counts.sum(axis=1) + total) - special.gammaln(total)
        return float(by_cell.sum() - by_row.sum())


def shrinkage(answers: Answers, known: Known, posterior: FloatArray) -> Shrinkage:
    """Return counts and targets under a posterior."""
    counts = em.taught_counts(answers, known, posterior)  # (J, given, true)
    own, crowd = one_coin.accuracies(answers, known, posterior)
    base = one_coin_confusion(np.array([min(crowd, 0.98)]), answers.n_classes)[0]  # symmetric
    pooled = counts.sum(axis=0) + POOLED_WEIGHT * base
    return Shrinkage(counts, one_coin_confusion(own, answers.n_classes), pooled / pooled.sum(axis=0))


def m_step(
    answers: Answers, known: Known, posterior: FloatArray, strengths: tuple[float, float]
) -> tuple[ConfusionRows, FloatArray]:
    """Return shrunken matrices and smoothed class shares under a posterior."""
    shrunk = shrinkage(answers, known, posterior)
    table = shrunk.counts + shrunk.target(strengths)
    table /= table.sum(axis=1, keepdims=True)
    log_table = np.log(table).reshape(-1, answers.n_classes)
    return ConfusionRows(log_table, np.log(shrunk.pooled)), em.class_shares(posterior, known)


def fit(answers: Answers, known: Known) -> em.Fit:
    """Return the fitted model: some steps at middling strengths, then at those with the most evidence."""
    first = em.run(
        answers, known, em.start(answers, known), lambda q: m_step(answers, known, q, START), max_steps=FIRST_STEPS
    )
    shrunk = shrinkage(answers, known, first.posterior)
    best = max(GRID, key=shrunk.evidence)
    return em.run(answers, known, first.posterior, lambda q: m_step(answers, known, q, best))
