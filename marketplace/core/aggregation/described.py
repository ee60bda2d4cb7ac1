"""The result of a method that keeps no tables: its posterior, with the confusion matrices that describe it."""

import numpy as np

from marketplace.core.aggregation import dawid_skene, skill
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation, Member


def fill_unanswered(answers: Answers, known: Known, posterior: FloatArray, class_prior: FloatArray) -> FloatArray:
    """Return a copy with gold certain, and on records without answers the classifier's opinion, else class shares."""
    filled = posterior.copy()
    rows = np.flatnonzero(answers.per_task == 0)
    belief = np.tile(class_prior, (len(rows), 1))
    if known.prior is not None:
        belief = np.where(np.isnan(known.prior[rows]), belief, known.prior[rows])
    filled[rows] = belief
    return known.clamp(filled)


def described(method: str, answers: Answers, known: Known, posterior: FloatArray) -> Aggregation:
    """Return an aggregation whose tables describe a posterior but cannot reproduce it (``is_incremental`` False).

    Parameters
    ----------
    method
        Name in the registry.
    posterior
        Shape (n_tasks, n_classes), rows sum to 1; certain on gold.
    """
    rows, class_prior = dawid_skene.m_step(answers, known, posterior)
    unused = np.zeros(answers.n_annotators)
    return Aggregation(
        method=method,
        posterior=posterior,
        n_answers=answers.per_task,
        class_prior=class_prior,
        skills=skill.estimate(answers, known, posterior),
        members=(Member(rows, class_prior, unused, 0.0, 1.0),),
        prior=known.prior,
        is_incremental=False,
    )
