"""Ranking: Bradley-Terry strengths of the items from everybody's order."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.structured import weights

PRIOR_WINS = 0.5
"""Pseudo-wins of each item over each other one: keeps strengths finite when one item always wins."""
MAX_STEPS = 500


@dataclass(frozen=True, eq=False)
class ConsensusRanking:
    """Items best first, strengths that sum to 1 per item, and the probability of each place over the next one."""

    order: list[int]
    strength: FloatArray
    confidence: list[float]


def consensus(
    rankings: Sequence[Sequence[int]], n_items: int, skills: Sequence[float] | None = None
) -> ConsensusRanking:
    """Return the common order of one record's items.

    Parameters
    ----------
    rankings
        Per annotator the item indices best first; a part of the items is enough (pairs for pairwise comparison).

    Raises
    ------
    ValueError
        When an item is out of range or repeats in a ranking.

    Notes
    -----
    Minorise-maximise steps until strengths settle; ties by item index.

    References
    ----------
    D. R. Hunter (2004), MM algorithms for generalized Bradley-Terry models, equation 3.
    """
    share = weights.of_skills(skills, len(rankings)) * len(rankings)
    wins = np.full((n_items, n_items), PRIOR_WINS)
    for ranking, weight in zip(rankings, share, strict=True):
        if len(set(ranking)) < len(ranking) or any(not 0 <= item < n_items for item in ranking):
            raise ValueError(f"ranking {list(ranking)} does not name distinct items within 0..{n_items - 1}")
        for place, better in enumerate(ranking):
            wins[better, list(ranking[place + 1 :])] += weight
    np.fill_diagonal(wins, 0)
    strength = _strengths(wins)
    order = np.argsort(-np.round(strength, 9), kind="stable").tolist()
    ahead = [float(strength[a] / (strength[a] + strength[b])) for a, b in itertools.pairwise(order)]
    return ConsensusRanking(order, strength, ahead)


def _strengths(wins: FloatArray) -> FloatArray:
    games = wins + wins.T
    strength = np.full(len(wins), 1 / len(wins))
    for _ in range(MAX_STEPS):
        pairs = games / (strength[:, np.newaxis] + strength[np.newaxis])
        updated = wins.sum(axis=1) / np.maximum(pairs.sum(axis=1), 1e-12)
        updated /= updated.sum()
        change = np.abs(updated - strength).max()
        strength = updated
        if change < 1e-10:
            break
    return strength
