"""Wawa (worker agreement with aggregate): votes weighted by each annotator's agreement with the majority.

References
----------
Appen (2021), Calculating worker agreement with aggregate (Wawa).
"""

import numpy as np

from marketplace.core.aggregation import described, registry
from marketplace.core.aggregation.answers import Answers, FloatArray, sum_by
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.majority import vote_shares
from marketplace.core.aggregation.result import TIE, Aggregation

LEAST_WEIGHT = 1e-3
"""An annotator who never agrees still breaks a tie."""


def agreement_weights(answers: Answers, known: Known) -> tuple[FloatArray, float]:
    """Return each annotator's agreement with the majority, shape (n_annotators,), and the crowd's mean.

    A tie of k classes counts as 1/k of an agreement with each. A lone answer agrees with itself and counts for nothing;
    who has no other answers gets the crowd's mean.
    """
    shares = vote_shares(answers, known)
    is_best = shares >= shares.max(axis=1, keepdims=True) - TIE
    credit = is_best / is_best.sum(axis=1, keepdims=True)  # (n_tasks, n_classes)
    counts = known.is_taught[answers.task].astype(np.float64)
    agreed = sum_by(answers.annotator, credit[answers.task, answers.label] * counts, answers.n_annotators)
    n = sum_by(answers.annotator, counts, answers.n_annotators)
    mean = float(agreed.sum() / n.sum()) if n.sum() else 1.0
    own = np.divide(agreed, n, out=np.full(answers.n_annotators, mean), where=n > 0)
    return np.maximum(own, LEAST_WEIGHT), max(mean, LEAST_WEIGHT)


@registry.register("wawa")
def wawa(answers: Answers, known: Known) -> Aggregation:
    """Return shares of the weighted votes; a classifier votes with the crowd's mean weight."""
    weight, mean = agreement_weights(answers, known)
    votes = answers.by_class(weight[answers.annotator])
    return described.described("wawa", answers, known, vote_shares(answers, known, votes, mean))
