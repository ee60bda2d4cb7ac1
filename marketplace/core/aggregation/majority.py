"""Majority vote: every answer counts the same."""

import numpy as np

from marketplace.core.aggregation import dawid_skene, registry, skill
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation, Member


def vote_shares(answers: Answers, known: Known) -> FloatArray:
    """Return vote shares; a record without answers has its prior, or the share of each class among all votes."""
    shares = answers.votes
    if known.prior is not None:
        shares = shares + np.nan_to_num(known.prior)
    overall = answers.votes.sum(axis=0) + 1.0
    shares = np.where(shares.sum(axis=1, keepdims=True) > 0, shares, overall / overall.sum())
    return known.clamp(shares / shares.sum(axis=1, keepdims=True))


@registry.register("majority")
def majority(answers: Answers, known: Known) -> Aggregation:
    """Return vote shares as posterior; a classifier counts as one more vote."""
    posterior = vote_shares(answers, known)
    rows, class_prior = dawid_skene.m_step(answers, known, posterior)
    unused = np.zeros(answers.n_annotators)
    return Aggregation(
        method="majority",
        posterior=posterior,
        n_answers=answers.per_task,
        class_prior=class_prior,
        skills=skill.estimate(answers, known, posterior),
        members=(Member(rows, class_prior, unused, 0.0, 1.0),),
        prior=known.prior,
        is_incremental=False,
    )
