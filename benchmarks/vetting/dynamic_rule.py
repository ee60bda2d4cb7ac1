"""The peer for adaptive overlap: stop by skills measured on gold alone, as Toloka's dynamic overlap documents it.

Skill = (0.5 + correct gold) / (1 + gold answers); uniform prior, errors spread evenly; a record stops at a confidence.
All answers on gold records are a cost. Ours is compared twice at equal labels a record: with the same gold, its answers
counted just so, and without any.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.vetting.adaptive import TARGETS, ranks_of, run_adaptive
from benchmarks.vetting.scores import score
from benchmarks.vetting.sets import Crowd, subset
from marketplace.core.aggregation import Answers, em
from marketplace.core.aggregation.rows import OneCoinRows

PSEUDO = 0.5
PEER_TARGETS = (0.8, 0.9, 0.95)
Array = npt.NDArray[Any]


def _skills(crowd: Crowd, is_gold: Array) -> Array:
    answers = crowd.answers
    on_gold = is_gold[answers.task]
    right = on_gold & (answers.label == crowd.truth[answers.task])
    hits = np.bincount(answers.annotator, on_gold, minlength=answers.n_annotators)
    correct = np.bincount(answers.annotator, right, minlength=answers.n_annotators)
    return np.clip((PSEUDO + correct) / (2 * PSEUDO + hits), 0.01, 0.99)


def chosen_gold(crowd: Crowd, gold_share: float, seed: int) -> Array:
    """Return a mask of the gold records: a share of those known, at least eight."""
    known = np.flatnonzero(crowd.truth >= 0)
    is_gold = np.zeros(crowd.answers.n_tasks, dtype=bool)
    size = max(8, round(gold_share * len(known)))
    is_gold[np.random.default_rng(seed).choice(known, size=size, replace=False)] = True
    return is_gold


def run_rule(crowd: Crowd, ranks: Array, target: float, is_gold: Array) -> tuple[float, float]:
    """Return answers a record, those on gold included, and accuracy on the records that are no gold."""
    answers = crowd.answers
    rows = OneCoinRows(_skills(crowd, is_gold), 0.5, answers.n_classes)
    bought = np.where(is_gold, answers.per_task, np.minimum(1, answers.per_task))
    while True:
        posterior = em.normalise(rows.log_likelihood(_bought(answers, ranks, bought)))
        needs = (posterior.max(axis=1) < target) & (bought < answers.per_task) & ~is_gold
        if not needs.any():
            break
        bought = bought + needs
    paid = float(bought.sum() / (answers.n_tasks - is_gold.sum()))
    return paid, score(posterior, crowd.truth, skip=is_gold).accuracy


def _bought(answers: Answers, ranks: Array, bought: Array) -> Answers:
    return subset(answers, np.flatnonzero(ranks < bought[answers.task]))


def gains(crowd: Crowd, gold_shares: tuple[float, ...] = (0.05, 0.1), seed: int = 0) -> dict[str, float]:
    """Return our accuracy less the rule's at equal labels a record, in points, for each of its settings."""
    ranks = ranks_of(crowd, np.random.default_rng(seed))
    targets = (0.6, *TARGETS, 0.99, 0.997)

    def curve(is_gold: Array | None) -> tuple[Array, Array]:
        points = sorted(run_adaptive(crowd, ranks, at, np.random.default_rng(seed), is_gold) for at in targets)
        labels, accuracy = np.array(points).T
        return labels, accuracy

    free = curve(None)
    found = {}
    for gold_share in gold_shares:
        is_gold = chosen_gold(crowd, gold_share, seed)
        same = curve(is_gold)
        for target in PEER_TARGETS:
            paid, reached = run_rule(crowd, ranks, target, is_gold)
            found[f"same_gold_{target:.0%}_{gold_share:.0%}"] = float(np.interp(paid, *same)) - reached
            found[f"no_gold_{target:.0%}_{gold_share:.0%}"] = float(np.interp(paid, *free)) - reached
    return found
