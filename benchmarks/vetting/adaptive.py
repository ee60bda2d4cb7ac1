"""How many labels adaptive overlap saves against a fixed number of answers, at equal accuracy."""

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.vetting.scores import score
from benchmarks.vetting.sets import Crowd, subset
from marketplace.core import overlap
from marketplace.core.aggregation import aggregate

TARGETS = (0.7, 0.8, 0.86, 0.9, 0.93, 0.96, 0.98)
SHORTFALL = 0.5
"""Points below the accuracy at full redundancy that both must reach."""
SLICE_ANSWERS = 5


def ranks_of(crowd: Crowd, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Return for each answer its place in a random order of its record's answers, shape (n,)."""
    answers = crowd.answers
    order = np.lexsort((rng.random(len(answers)), answers.task))
    starts = np.concatenate([[0], np.cumsum(answers.per_task)[:-1]])
    ranks = np.empty(len(answers), dtype=int)
    ranks[order] = np.arange(len(answers)) - starts[answers.task[order]]
    return ranks


def run_adaptive(
    crowd: Crowd,
    ranks: npt.NDArray[Any],
    target: float,
    rng: np.random.Generator,
    is_gold: npt.NDArray[Any] | None = None,
) -> tuple[float, float]:
    """Return answers a record and accuracy when records are asked until the target.

    Without gold a random slice gets more answers, from which skills are learnt. With it the gold serves for that: all
    answers on gold records are bought and counted, spread over the others, whose accuracy is returned.
    """
    answers = crowd.answers
    gold_mask = np.zeros(answers.n_tasks, dtype=bool) if is_gold is None else is_gold
    gold = {int(task): int(crowd.truth[task]) for task in np.flatnonzero(gold_mask)}
    in_slice = overlap.calibration_slice(answers.n_tasks, rng, share=0.0 if gold else 0.1)
    least = np.minimum(np.where(in_slice, SLICE_ANSWERS, 2), answers.per_task)
    bought = np.where(gold_mask, answers.per_task, np.minimum(2, answers.per_task))
    while True:
        result = aggregate(subset(answers, np.flatnonzero(ranks < bought[answers.task])), gold=gold)
        needs = overlap.needs_another(
            result.posterior,
            bought,
            target_confidence=target,
            min_answers=least,
            max_answers=np.maximum(answers.per_task, 1),
        )
        needs &= (bought < answers.per_task) & ~gold_mask
        if not needs.any():
            paid = float(bought.sum() / (answers.n_tasks - gold_mask.sum()))
            return paid, score(result.posterior, crowd.truth, skip=gold_mask).accuracy
        bought = bought + needs


def fixed_curve(crowd: Crowd, ranks: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return mean answers a record and accuracy for each fixed redundancy."""
    most = int(crowd.answers.per_task.max())
    levels = np.arange(2, min(most, 12) + 1)
    if most > 12:
        levels = np.r_[levels, np.geomspace(13, most, 4).astype(int)]
    points = []
    for level in levels:
        kept = subset(crowd.answers, np.flatnonzero(ranks < level))
        points.append((len(kept) / kept.n_tasks, score(aggregate(kept).posterior, crowd.truth).accuracy))
    labels, accuracy = np.array(points).T
    return labels, accuracy


def cheapest(labels: npt.NDArray[Any], accuracy: npt.NDArray[Any], wanted: float) -> float:
    """Return the fewest labels (interpolated) with which a curve reaches an accuracy; its last point otherwise."""
    best = np.maximum.accumulate(accuracy)
    above = np.flatnonzero(best >= wanted)
    if not len(above):
        return float(labels[-1])
    at = int(above[0])
    if at == 0:
        return float(labels[0])
    share = (wanted - best[at - 1]) / (best[at] - best[at - 1])
    return float(labels[at - 1] + share * (labels[at] - labels[at - 1]))


def saving(crowd: Crowd, seeds: int = 2) -> dict[str, float]:
    """Return the share of labels saved, mean of seeds: against all answers there are, and against as few as do."""
    full = score(aggregate(crowd.answers).posterior, crowd.truth).accuracy
    all_labels = len(crowd.answers) / crowd.answers.n_tasks
    savings = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        ranks = ranks_of(crowd, rng)
        points = sorted(run_adaptive(crowd, ranks, target, rng) for target in TARGETS)
        labels, accuracy = np.array(points).T
        adaptive = cheapest(labels, accuracy, full - SHORTFALL)
        fewest = cheapest(*fixed_curve(crowd, ranks), full - SHORTFALL)
        savings.append((1 - adaptive / all_labels, 1 - adaptive / fewest))
    against_all, against_fewest = np.mean(savings, axis=0)
    return {"saved_of_full": float(against_all), "saved_of_fewest_fixed": float(against_fewest)}
