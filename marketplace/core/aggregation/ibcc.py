"""IBCC (independent Bayesian classifier combination), variational: Dirichlet posteriors of all confusion rows.

References
----------
H.-C. Kim, Z. Ghahramani (2012), Bayesian classifier combination, section 2.
E. Simpson, S. Roberts, I. Psorakis, A. Smith (2013), Dynamic Bayesian combination of multiple imperfect classifiers,
equations 7 to 13.
"""

import numpy as np
from scipy import special

from marketplace.core.aggregation import em, registry, skill
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation, Member
from marketplace.core.aggregation.rows import ConfusionRows, check_size

DIAGONAL, OFF_DIAGONAL = 4.0, 1.0
"""Dirichlet parameters of a confusion row before any answer."""
SHARE_PRIOR = 1.0
"""Dirichlet parameter of the class shares."""
MAX_STEPS = 100


class VariationalRows(ConfusionRows):
    """Expected logarithms: they do not exponentiate to a distribution, so the matrices shown are scaled to one."""

    def confusion(self) -> FloatArray:
        """Scaled to sum to 1 over the given label."""
        table = super().confusion()
        return np.asarray(table / table.sum(axis=2, keepdims=True))

    def pooled(self) -> FloatArray:
        """Scaled likewise."""
        table = super().pooled()
        return np.asarray(table / table.sum(axis=1, keepdims=True))


def row_prior(n_classes: int) -> FloatArray:
    """Return the Dirichlet parameters at [given, true]."""
    return OFF_DIAGONAL + (DIAGONAL - OFF_DIAGONAL) * np.eye(n_classes)


def expected_log(parameters: FloatArray, axis: int) -> FloatArray:
    """Return the expected logarithm under Dirichlet distributions along an axis.

    >>> expected_log(np.array([1.0, 1.0]), 0).tolist()
    [-1.0, -1.0]
    """
    total = parameters.sum(axis=axis, keepdims=True)
    return np.asarray(special.digamma(parameters) - special.digamma(total))


def m_step(answers: Answers, known: Known, posterior: FloatArray) -> tuple[VariationalRows, FloatArray]:
    """Return expected log rows and the (scaled) exponential of the expected log class shares."""
    prior = row_prior(answers.n_classes)
    counts = em.taught_counts(answers, known, posterior)  # (J, given, true)
    table = expected_log(counts + prior, axis=1).reshape(-1, answers.n_classes)
    shares = expected_log(posterior[known.is_taught].sum(axis=0) + SHARE_PRIOR, axis=0)
    return VariationalRows(table, expected_log(counts.sum(axis=0) + prior, axis=0)), em.normalise(shares[np.newaxis])[0]


@registry.register("ibcc")
def ibcc(answers: Answers, known: Known) -> Aggregation:
    """Return the variational posterior, started at the votes."""
    check_size(answers)
    fit = em.run(answers, known, em.start(answers, known), lambda q: m_step(answers, known, q), max_steps=MAX_STEPS)
    return Aggregation(
        method="ibcc",
        posterior=fit.posterior,
        n_answers=answers.per_task,
        class_prior=fit.class_prior,
        skills=skill.estimate(answers, known, fit.posterior),
        members=(Member(fit.rows, fit.class_prior, np.zeros(answers.n_annotators), 0.0, 1.0),),
        prior=known.prior,
    )
