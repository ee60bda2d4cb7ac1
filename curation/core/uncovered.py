"""Classes that the anchor does not cover: where it steers, their records look foreign and are asked too rarely."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from curation.core.arrays import BoolArray
from curation.core.problem import Problem

_LEAST_LABELS, _LEAST_OF_CLASS, _LEVEL = 5, 3, 0.002
_FOREIGN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A class that the anchor lacks, and how that shows, in words."""

    label: int
    words: str


def find(problem: Problem) -> list[Uncovered]:
    """Return the classes that the anchor seems to lack; none where it does not steer.

    Notes
    -----
    Where anchors have labels, a class without one is named at once. Otherwise a class is named when its labels come
    from records the anchor calls foreign, far more than those of other classes do (Fisher's exact test, level .002 over
    all classes), or when the model finds it among the anchors much less often than among the labels (binomial test
    against half its share, level .002). Before five labels a class, nothing is said.
    """
    prior = problem.prior
    if prior is None or not problem.is_steered:
        return []
    if problem.anchor_labels is not None and (problem.anchor_labels >= 0).any():
        known = np.bincount(problem.anchor_labels[problem.anchor_labels >= 0], minlength=problem.n_classes)
        return [Uncovered(int(c), "The anchor holds no record of it.") for c in np.flatnonzero(known == 0)]
    labeled = (problem.asked.labels >= 0) & (problem.asked.weights > 0)
    labels = problem.asked.labels[labeled]
    if len(labels) < _LEAST_LABELS * problem.n_classes:
        return []
    called_foreign = prior.proba[problem.asked.rows[labeled]] < _FOREIGN
    found = []
    for label in range(problem.n_classes):
        own = labels == label
        if own.sum() >= _LEAST_OF_CLASS:
            words = _from_foreign(called_foreign, own, problem.n_classes) or _rare_among_anchors(problem, own, label)
            found += [Uncovered(label, words)] if words else []
    return found


def _from_foreign(called_foreign: BoolArray, own: BoolArray, n_classes: int) -> str:
    """Return words when the class's labels are from records called foreign much more than others' are."""
    table = [
        [int((own & called_foreign).sum()), int((own & ~called_foreign).sum())],
        [int((~own & called_foreign).sum()), int((~own & ~called_foreign).sum())],
    ]
    p = stats.fisher_exact(table, alternative="greater").pvalue
    if p >= _LEVEL / n_classes or table[0][0] <= table[0][1]:
        return ""
    return f"{table[0][0]} of its {own.sum()} labels are of records that the anchor calls foreign."


def _rare_among_anchors(problem: Problem, own: BoolArray, label: int) -> str:
    """Return words when the model finds the class among the anchors much less often than among the labels."""
    anchor = problem.scaled_anchor
    if anchor is None or problem.model.estimator is None:
        return ""
    n_seen = int((problem.model.proba(anchor).argmax(axis=1) == label).sum())
    if stats.binom.cdf(n_seen, len(anchor), own.mean() / 2) >= _LEVEL:
        return ""
    return f"{own.mean():.0%} of the labels are of it, and only {n_seen} of the {len(anchor)} anchors look like it."
