"""How many answers a record will need, and how often its label will be right, by the accuracy of who answers."""

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np

from marketplace.core.overlap import PATIENCE
from marketplace.core.quote.draws import BoolArray, FloatArray, IntArray
from marketplace.core.quote.terms import Terms

_GRID: Final = np.concatenate([np.linspace(0.3, 0.8, 6), np.linspace(0.84, 0.99, 7), [0.999]])
_N_VOTES: Final = 1000
_MOST_ANSWERS: Final = 9
_SEED: Final = 20261123


@dataclass(frozen=True, slots=True)
class Opinions:
    """Tables over accuracies: ``share[l]`` of the records get answer ``l + 1``; ``right`` is the label's accuracy."""

    accuracy: FloatArray  # (n_grid,)
    share: FloatArray  # (n_layers, n_grid)
    right: FloatArray  # (n_grid,)

    def share_at(self, layer: int, accuracy: FloatArray) -> FloatArray:
        """Return the share of records that get an answer in a layer (0 = the first)."""
        return np.asarray(np.interp(accuracy, self.accuracy, self.share[layer]))

    def right_at(self, accuracy: FloatArray) -> FloatArray:
        """Return the probability that a record's label is right."""
        return np.asarray(np.interp(accuracy, self.accuracy, self.right))


def opinions(terms: Terms) -> Opinions:
    """Play the adaptive overlap on made-up votes, once for each accuracy of a grid.

    Notes
    -----
    Annotators are right with one probability, wrong answers are equally likely, a tie is broken at random; the rule
    to stop is that of :func:`marketplace.core.overlap.needs_another` without proven annotators. Votes come from a
    fixed seed, the same for every quote, so that equal terms get equal tables. Overlaps above 9 count as 9.
    O(n_grid x n_votes x max_overlap^2), kept for the next quote of equal terms.
    """
    least, most = (min(n, _MOST_ANSWERS) for n in (terms.min_overlap, terms.max_overlap))
    return _table(max(terms.n_classes, 2), least, most, terms.target_confidence)


@functools.lru_cache(maxsize=256)
def _table(n_classes: int, least: int, most: int, target_confidence: float) -> Opinions:
    rng = np.random.default_rng(_SEED)
    is_right = rng.random((_N_VOTES, most))[None] < _GRID[:, None, None]  # (n_grid, n_votes, most)
    wrong = rng.integers(1, n_classes, size=(_N_VOTES, most))
    votes = np.where(is_right, 0, wrong)  # class 0 is the truth
    odds = np.log(_GRID * (n_classes - 1) / (1 - _GRID))[:, None]  # (n_grid, 1)
    tie_break = 1e-6 * rng.random((_N_VOTES, most))
    counts = np.zeros(votes.shape)
    is_open = np.ones(votes.shape[:2], dtype=np.bool_)
    right = np.zeros(votes.shape[:2])
    share = []
    for n in range(1, most + 1):
        share.append(is_open.mean(axis=1))
        same = votes[:, :, :n] == votes[:, :, n - 1 : n]  # (n_grid, n_votes, n)
        counts[:, :, : n - 1] += same[:, :, :-1]
        counts[:, :, n - 1] = same.sum(axis=2)
        if n < least:
            continue
        confidence, is_true = _judge(votes[:, :, :n], counts[:, :, :n] + tie_break[:, :n], odds, n_classes)
        right = np.where(is_open, is_true, right)
        target = target_confidence - PATIENCE * max(n - 2, 0)
        is_open = is_open & ~((confidence >= target) & (n >= 2))
    return Opinions(_GRID, np.array(share), right.mean(axis=1))


def _judge(votes: IntArray, counts: FloatArray, odds: FloatArray, n_classes: int) -> tuple[FloatArray, BoolArray]:
    """Return the posterior of the best class and whether it is the truth, each (n_grid, n_votes)."""
    best = counts.argmax(axis=2)[:, :, None]
    most = np.round(np.take_along_axis(counts, best, 2)[:, :, 0])
    # Each vote of a class multiplies its odds alike; what no one voted for has none.
    whole = np.round(counts)
    weight = np.exp(odds[:, :, None] * (whole - most[:, :, None])) / whole  # each class's part, split over its votes
    unvoted = np.maximum(n_classes - (1 / whole).sum(axis=2), 0) * np.exp(-odds * most)
    confidence = 1 / (weight.sum(axis=2) + unvoted)
    is_true = np.take_along_axis(votes, best, 2)[:, :, 0] == 0
    return confidence, is_true
