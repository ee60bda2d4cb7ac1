"""Majority vote: every answer counts the same."""

import numpy as np

from marketplace.core.aggregation import described, registry
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Aggregation


def vote_shares(
    answers: Answers, known: Known, votes: FloatArray | None = None, prior_votes: float = 1.0
) -> FloatArray:
    """Return vote shares; a record without answers has its prior, or the share of each class among all votes.

    Parameters
    ----------
    votes
        Weighted votes, shape (n_tasks, n_classes); None for one vote an answer.
    prior_votes
        Weight of the classifier's opinion.
    """
    shares = answers.votes if votes is None else votes
    if known.prior is not None:
        shares = shares + prior_votes * np.nan_to_num(known.prior)
    overall = answers.votes.sum(axis=0) + 1.0
    shares = np.where(shares.sum(axis=1, keepdims=True) > 0, shares, overall / overall.sum())
    return known.clamp(shares / shares.sum(axis=1, keepdims=True))


@registry.register("majority")
def majority(answers: Answers, known: Known) -> Aggregation:
    """Return vote shares as posterior; a classifier counts as one more vote."""
    return described.described("majority", answers, known, vote_shares(answers, known))
