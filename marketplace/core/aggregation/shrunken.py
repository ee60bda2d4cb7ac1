"""Confusion matrices shrunk to each annotator's own accuracy and to the crowd's matrix, with strengths learnt.

The strengths maximise the Dirichlet-multinomial evidence of the soft counts; the rest is expectation maximisation.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special

from marketplace.core.aggregation import em, one_coin
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.rows import ConfusionRows, one_coin_confusion

START = (3.0, 3.0)
OWN_STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
POOLED_STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
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
    right = np.trace(counts, axis1=1, axis2=2)
    own, crowd = one_coin.accuracies(right, counts.sum(axis=(1, 2)), answers.n_classes)
    base = one_coin_confusion(np.array([min(crowd, 0.98)]), answers.n_classes)[0]  # symmetric
    pooled = counts.sum(axis=0) + POOLED_WEIGHT * base
    return Shrinkage(counts, one_coin_confusion(own, answers.n_classes), pooled / pooled.sum(axis=0))


def strongest(shrunk: Shrinkage) -> tuple[float, float]:
    """Return the strengths with the most evidence, each searched in turn until neither moves."""
    evidence = cache(shrunk.evidence)
    own, pooled = START
    while True:
        before = (own, pooled)
        own = max((evidence((value, pooled)), value) for value in OWN_STRENGTHS)[1]
        pooled = max((evidence((own, value)), value) for value in POOLED_STRENGTHS)[1]
        if (own, pooled) == before:
            return before


def m_step(
    answers: Answers, known: Known, posterior: FloatArray, strengths: tuple[float, float], is_even: bool
) -> tuple[ConfusionRows, FloatArray]:
    """Return shrunken matrices under a posterior, with smoothed class shares or, for ``is_even``, a uniform prior."""
    shrunk = shrinkage(answers, known, posterior)
    table = shrunk.counts + shrunk.target(strengths)
    table /= table.sum(axis=1, keepdims=True)
    log_table = np.log(table).reshape(-1, answers.n_classes)
    n_classes = answers.n_classes
    class_prior = np.full(n_classes, 1 / n_classes) if is_even else em.class_shares(posterior, known, em.PSEUDO_SHARE)
    return ConfusionRows(log_table, np.log(shrunk.pooled)), class_prior


def fit(answers: Answers, known: Known, *, is_even: bool = False) -> em.Fit:
    """Return the fitted model: some steps at middling strengths, then at those with the most evidence.

    With ``is_even`` the class prior stays uniform: better where the crowd is sparse or a latent class would drift,
    far worse where one class is rare.
    """

    def run(posterior: FloatArray, strengths: tuple[float, float], max_steps: int) -> em.Fit:
        return em.run(
            answers, known, posterior, lambda q: m_step(answers, known, q, strengths, is_even), max_steps=max_steps
        )

    first = run(em.start(answers, known), START, FIRST_STEPS)
    strengths = strongest(shrinkage(answers, known, first.posterior))
    return run(first.posterior, strengths, em.MAX_STEPS)
