"""Dawid-Skene: a free confusion matrix per annotator, by expectation maximisation.

References
----------
A. P. Dawid, A. M. Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm,
equations 2.3 to 2.5.
"""

import numpy as np

from marketplace.core.aggregation import em, registry, skill
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation, Member
from marketplace.core.aggregation.rows import ConfusionRows, check_size

SMOOTHING = 0.01
"""Pseudo-count per cell: keeps logarithms finite and unseen annotators uninformative."""


def m_step(answers: Answers, known: Known, posterior: FloatArray) -> tuple[ConfusionRows, FloatArray]:
    """Return the most likely confusion matrices and class shares under a posterior."""
    counts = em.taught_counts(answers, known, posterior) + SMOOTHING  # (J, given, true)
    pooled = counts.sum(axis=0) + SMOOTHING
    table = counts / counts.sum(axis=1, keepdims=True)
    rows = ConfusionRows(np.log(table.reshape(-1, answers.n_classes)), np.log(pooled / pooled.sum(axis=0)))
    return rows, em.class_shares(posterior, known, pseudo_share=0.0)


@registry.register("dawid_skene")
def dawid_skene(answers: Answers, known: Known) -> Aggregation:
    """Return the Dawid-Skene posterior, started at the votes; over-confident by nature, kept for comparison."""
    check_size(answers)
    fit = em.run(answers, known, em.start(answers, known), lambda q: m_step(answers, known, q))
    unused = np.zeros(answers.n_annotators)
    return Aggregation(
        method="dawid_skene",
        posterior=fit.posterior,
        n_answers=answers.per_task,
        class_prior=fit.class_prior,
        skills=skill.estimate(answers, known, fit.posterior),
        members=(Member(fit.rows, fit.class_prior, unused, 0.0, 1.0),),
        prior=known.prior,
    )
