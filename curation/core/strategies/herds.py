"""Coverage of the pool, weighted or not: the engine, and the methods it grew from.

References
----------
Bae, Sutherland, Noh (2025), Uncertainty Herding. Bae, Noh, Sutherland (2024), MaxHerding.
"""

import numpy as np

from curation.core import class_search, herding
from curation.core.arrays import BoolArray, FloatArray
from curation.core.problem import Problem
from curation.core.strategies.registry import Scored, register

_LEAST = 1e-6
"""Of the highest uncertainty."""


def _herd(
    problem: Problem,
    allowed: BoolArray,
    n_picks: int,
    rng: np.random.Generator,
    *,
    weights: FloatArray,
    multiplier: FloatArray | None = None,
    width: float | None = None,
) -> Scored:
    adaptive = herding.kernel_width(problem.scaled, problem.asked.rows, problem.median_distance)
    chosen = herding.herd(
        problem.scaled,
        weights=weights,
        multiplier=np.ones(len(problem.X)) if multiplier is None else multiplier,
        covered_by=problem.asked.rows,
        allowed=allowed,
        group=problem.group,
        width=adaptive if width is None else width,
        n_picks=n_picks,
        rng=rng,
    )
    return Scored(chosen.rows, chosen.gains)


def _open_uncertainty(problem: Problem) -> FloatArray:
    """Return the uncertainty of rows not asked, shape (n,), never quite 0: between sure ones coverage decides."""
    highest = float(problem.uncertainty.max())
    uncertain = np.maximum(problem.uncertainty, _LEAST * highest) if highest > 0 else np.ones(len(problem.X))
    uncertain[problem.asked.rows] = 0.0
    return uncertain


@register("auto")
@register("herding")
def herding_strategy(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Coverage x uncertainty x relevance, greedily: the default; in part at random while a class has no label."""
    weights = _open_uncertainty(problem) * problem.relevance.target
    n_drawn = 0 if problem.is_told else class_search.n_to_draw(problem.known_labels, problem.n_classes, n_picks)
    herd = _herd(problem, allowed, n_picks - n_drawn, rng, weights=weights, multiplier=problem.relevance.multiplier)
    if not n_drawn:
        return herd
    free = rng.permutation(np.flatnonzero(allowed & ~np.isin(problem.group, problem.group[herd.rows])))
    _, first = np.unique(problem.group[free], return_index=True)
    drawn = free[np.sort(first)][:n_drawn]
    return Scored(
        np.concatenate([herd.rows, drawn]), np.append(herd.utilities, np.zeros(len(drawn))), n_drawn=len(drawn)
    )


@register("uncertainty_herding")
def uncertainty_herding(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Coverage x uncertainty with a width that shrinks as labels grow: the engine without relevance."""
    return _herd(problem, allowed, n_picks, rng, weights=_open_uncertainty(problem))


@register("coverage")
def coverage(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Herding without a model: coverage alone, for a start without labels."""
    return _herd(problem, allowed, n_picks, rng, weights=np.ones(len(problem.X)))


@register(
    "max_herding", why="It stands for many records that are not covered yet (adds {coverage_gain:.1f} records' worth)"
)
def max_herding(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Coverage alone under a kernel of one width throughout."""
    return _herd(problem, allowed, n_picks, rng, weights=np.ones(len(problem.X)), width=problem.median_distance / 4)
