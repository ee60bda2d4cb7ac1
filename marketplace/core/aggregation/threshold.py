"""Evidence cap J0 from gold: how much the answers of this job may claim."""

from collections.abc import Callable

import numpy as np

from marketplace.core.aggregation import em, evidence
from marketplace.core.aggregation.answers import Answers, FloatArray
from marketplace.core.aggregation.known import Known
from marketplace.core.aggregation.result import Member

MIN_GOLD = 8
"""Answered gold records below which the default cap stands."""
GRID = np.exp(np.linspace(np.log(0.03), np.log(4.0), 50))
"""Multiples of the default that are tried."""
SPREAD = 0.3
"""Scale of the Cauchy prior on the log multiple: heavy tails let little gold expose a crowd that shares a bias."""

FitMembers = Callable[[Known], tuple[list[em.Fit], list[Member]]]
Mix = Callable[[Answers, Known, list[em.Fit], list[Member], float], FloatArray]


def choose(answers: Answers, known: Known, fit_members: FitMembers, mix: Mix) -> float:
    """Return the cap under which the answers alone, gold forgotten, foretell the gold best.

    Notes
    -----
    A second fit without the gold is needed: the clamped one has seen it. Only the gold records are scored.
    """
    default = evidence.default_threshold(answers.n_classes)
    gold = np.flatnonzero((known.gold >= 0) & (answers.per_task > 0))
    if len(gold) < MIN_GOLD:
        return default
    blind = known.without_gold(answers)
    fits, members = fit_members(blind)

    def score(cap: float) -> float:
        posterior = mix(answers, blind, fits, members, cap)
        fit = float(np.log(posterior[gold, known.gold[gold]]).sum())
        return fit - float(np.log1p((np.log(cap / default) / SPREAD) ** 2))

    return float(max(GRID * default, key=score))
