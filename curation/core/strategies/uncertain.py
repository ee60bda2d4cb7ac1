"""What the model is least sure of, and chance, the honest baseline.

References
----------
Settles (2009), Active Learning Literature Survey, section 3.1.
"""

import numpy as np

from curation.core.arrays import BoolArray, FloatArray
from curation.core.problem import Problem
from curation.core.strategies.picking import top
from curation.core.strategies.registry import Scored, register


@register("random", why="Drawn at random: the baseline", keeps_groups=False)
def random(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Uniform among all rows never asked, near copies too."""
    rows = rng.permutation(np.flatnonzero(allowed))[:n_picks]
    return Scored(rows, np.zeros(len(rows)))


@register(
    "margin", needs_model=True, why="The model hesitates between {between} ({uncertainty:.0%} of the way to a tie)"
)
def margin(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The smallest margins between the two best classes; unsafe on messy pools, here for comparison."""
    return top(problem.uncertainty, allowed, problem.group, n_picks, rng)


@register(
    "least_confident", needs_model=True, why="The model's best guess for it is among the weakest ({score:.0%} doubt)"
)
def least_confident(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The lowest probability of the best class."""
    return top(1 - problem.proba.max(axis=1), allowed, problem.group, n_picks, rng)


@register("entropy", needs_model=True, why="The model spreads its belief over the classes (entropy {score:.0%} of all)")
def entropy(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The highest entropy over the classes, as a share of the highest there could be."""
    return top(normalised_entropy(problem.proba), allowed, problem.group, n_picks, rng)


@register(
    "utility", needs_model=True, why="The utility given for it is among the highest ({uncertainty:.0%} of their range)"
)
def utility(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The highest utility given from outside (boxes, masks, spans, numbers); without one, the smallest margin."""
    return top(problem.uncertainty, allowed, problem.group, n_picks, rng)


def normalised_entropy(proba: FloatArray) -> FloatArray:
    """Return the entropy of each row over its highest possible value, shape (n,), in [0, 1].

    >>> normalised_entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(6).tolist()
    [1.0, 0.0]
    """
    if proba.shape[1] < 2:
        return np.zeros(len(proba))
    logs = np.log(np.clip(proba, 1e-12, 1))
    return np.asarray(np.minimum(np.abs((proba * logs).sum(axis=1)) / np.log(proba.shape[1]), 1.0))
