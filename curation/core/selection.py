"""Choosing the next batch: one contract for every query strategy, control picks drawn at random, a reason with each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from curation.core import herding, reasons
from curation.core.arrays import BoolArray, FloatArray, IntArray
from curation.core.problem import Problem
from curation.core.reasons import CONTROL, Pick


@dataclass(frozen=True, eq=False)
class Scored:
    """What a strategy returns: rows best first, and their utilities (higher = more worth labeling)."""

    rows: IntArray
    utilities: FloatArray


Strategy = Callable[[Problem, BoolArray, int, np.random.Generator], Scored]
_strategies: dict[str, Strategy] = {}


def strategy(name: str) -> Callable[[Strategy], Strategy]:
    """Register a query strategy; the contract test covers it from then on."""

    def register(choose: Strategy) -> Strategy:
        _strategies[name] = choose
        return choose

    return register


def names() -> list[str]:
    """Return the registered strategies."""
    return sorted(_strategies)


@strategy("herding")
def herding_strategy(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Coverage x uncertainty x relevance, greedily: the default."""
    uncertain = problem.uncertainty.copy()
    uncertain[problem.asked.rows] = 0.0
    chosen = herding.herd(
        problem.scaled,
        weights=uncertain * problem.relevance.target,
        multiplier=problem.relevance.multiplier,
        covered_by=problem.asked.rows,
        allowed=allowed,
        group=problem.group,
        width=herding.kernel_width(problem.scaled, problem.asked.rows, problem.median_distance),
        n_picks=n_picks,
        rng=rng,
    )
    return Scored(chosen.rows, chosen.gains)


@strategy("coverage")
def coverage_strategy(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Herding without a model: coverage alone, for a start without labels."""
    chosen = herding.herd(
        problem.scaled,
        weights=np.ones(len(problem.X)),
        multiplier=np.ones(len(problem.X)),
        covered_by=problem.asked.rows,
        allowed=allowed,
        group=problem.group,
        width=herding.kernel_width(problem.scaled, problem.asked.rows, problem.median_distance),
        n_picks=n_picks,
        rng=rng,
    )
    return Scored(chosen.rows, chosen.gains)


@strategy("margin")
def margin_strategy(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The smallest margins between the two best classes; unsafe on messy pools, here for comparison."""
    return _top(np.where(allowed, problem.uncertainty, -np.inf), n_picks, rng)


@strategy("random")
def random_strategy(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Uniform among all rows never asked, near copies too: the honest baseline."""
    free = np.flatnonzero(~np.isin(np.arange(len(problem.X)), problem.asked.rows))
    rows = rng.permutation(free)[:n_picks]
    return Scored(rows, np.zeros(len(rows)))


def _top(utilities: FloatArray, n_picks: int, rng: np.random.Generator) -> Scored:
    order = rng.permutation(len(utilities))
    ranked = order[np.argsort(-utilities[order], kind="stable")]
    ranked = ranked[np.isfinite(utilities[ranked])][:n_picks]
    return Scored(ranked, utilities[ranked])


def select(problem: Problem, *, name: str, n_picks: int, control_ratio: float, seed: int) -> list[Pick]:
    """Return the next batch, best first, each pick with its reason; never a row asked before, never one twice.

    Parameters
    ----------
    problem
        Pool and answers so far.
    name
        A registered strategy.
    n_picks
        Batch size, >= 1. Fewer come back only when the pool holds fewer eligible rows.
    control_ratio
        Share of the batch drawn uniformly at random from all rows not asked, in [0, 0.5]: the unbiased control.
    seed
        The same seed gives the same batch.

    Raises
    ------
    ValueError
        On an unknown strategy, a batch below 1 or a ratio outside [0, 0.5].
    """
    if name not in _strategies:
        raise ValueError(f"there is no strategy {name!r}; choose one of {', '.join(names())}")
    if n_picks < 1 or not 0 <= control_ratio <= 0.5:
        raise ValueError(
            f"need a batch of at least 1 and a control ratio in [0, 0.5], got {n_picks} and {control_ratio}"
        )
    rng = np.random.default_rng([seed, len(problem.asked.rows)])
    control, propensity = _control(problem, round(n_picks * control_ratio), rng)
    allowed = problem.allowed.copy()
    allowed[control] = False
    allowed[np.isin(problem.group, problem.group[control])] = False
    scored = _strategies[name](problem, allowed, n_picks - len(control), rng)
    keep = ~np.isin(scored.rows, control)
    picks = [
        reasons.explain(problem, int(row), name, None, float(utility))
        for row, utility in zip(scored.rows[keep], scored.utilities[keep], strict=True)
    ]
    return picks + [reasons.explain(problem, int(row), CONTROL, propensity, 0.0) for row in control]


def _control(problem: Problem, n_control: int, rng: np.random.Generator) -> tuple[IntArray, float]:
    free = np.flatnonzero(~np.isin(np.arange(len(problem.X)), problem.asked.rows))
    chosen = np.sort(rng.choice(free, size=min(n_control, len(free)), replace=False))
    return chosen, len(chosen) / max(len(free), 1)
