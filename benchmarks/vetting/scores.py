"""How good a posterior is against the truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.vetting.sets import Crowd
from marketplace.core.aggregation import Aggregation

N_BINS = 10
LEAST_ANSWERS = 5
"""Annotators with fewer answers on records of known truth are left out of the skill scores."""


@dataclass(frozen=True, slots=True)
class Score:
    """Accuracy (ties in expectation), calibration error, Brier score, log-loss, claims above .99 and how many hold."""

    accuracy: float
    ece: float
    brier: float
    log_loss: float
    claimed: float
    claims_right: float


def score(posterior: npt.NDArray[Any], truth: npt.NDArray[Any], *, skip: npt.NDArray[Any] | None = None) -> Score:
    """Return the scores over records of known truth, without those in ``skip`` (gold given to the method)."""
    used = truth >= 0 if skip is None else (truth >= 0) & ~skip
    belief, answer = posterior[used], truth[used]
    confidence = belief.max(axis=1)
    is_best = belief >= confidence[:, np.newaxis] - 1e-7
    right = is_best[np.arange(len(answer)), answer] / is_best.sum(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, confidence - right, minlength=N_BINS)
    claims = confidence > 0.99
    return Score(
        accuracy=float(100 * right.mean()),
        ece=float(np.abs(gaps).sum() / len(right)),
        brier=float(((belief - np.eye(belief.shape[1])[answer]) ** 2).sum(axis=1).mean()),
        log_loss=float(-np.log(np.maximum(belief[np.arange(len(answer)), answer], 1e-6)).mean()),
        claimed=float(claims.mean()),
        claims_right=float(right[claims].mean()) if claims.any() else float("nan"),
    )


def skill_scores(crowd: Crowd, result: Aggregation) -> tuple[float, float]:
    """Return Spearman's correlation of skills with true accuracies, and the share of 90 % intervals that cover."""
    answers = crowd.answers
    known = crowd.truth[answers.task] >= 0
    right = np.bincount(
        answers.annotator[known],
        (answers.label == crowd.truth[answers.task])[known],
        minlength=answers.n_annotators,
    )
    n = np.bincount(answers.annotator[known], minlength=answers.n_annotators)
    used = n >= LEAST_ANSWERS
    if used.sum() < 3:
        return float("nan"), float("nan")
    share = right[used] / n[used]
    covered = (result.skill_low[used] - 1e-9 <= share) & (share <= result.skill_high[used] + 1e-9)
    return float(stats.spearmanr(result.skill[used], share).statistic), float(covered.mean())
