"""Choosing the next batch: one contract for every query strategy, control picks drawn at random, a reason with each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from curation.core import class_search, reasons
from curation.core.arrays import BoolArray, IntArray
from curation.core.problem import Problem
from curation.core.reasons import CONTROL, FILL, MANUAL, SEARCH, Pick
from curation.core.strategies import Strategy, get, names

__all__ = ["Control", "Pick", "Problem", "Rule", "by_hand", "check_rules", "mix", "names", "select"]

Control = tuple[IntArray, float]
"""Rows drawn uniformly at random from all that were not asked, and the chance each of those had."""
NO_MODEL_YET = "No model yet, so by coverage. "


@dataclass(frozen=True, slots=True)
class Rule:
    """A share of each batch that one strategy chooses, in (0, 1]."""

    strategy: str
    share: float


def check_rules(rules: Sequence[Rule]) -> None:
    """Raise ValueError unless each strategy is known and named once, and the shares are positive and sum to one."""
    if not rules:
        raise ValueError("give at least one rule")
    for rule in rules:
        get(rule.strategy)
        if not 0 < rule.share <= 1:
            raise ValueError(f"the share of {rule.strategy!r} must lie in (0, 1], got {rule.share:g}")
    if len({rule.strategy for rule in rules}) < len(rules):
        raise ValueError(f"{len(rules)} rules name {len({rule.strategy for rule in rules})} strategies; name each once")
    total = sum(rule.share for rule in rules)
    if abs(total - 1) > 1e-6:
        raise ValueError(f"the shares sum to {total:g}, not to 1")


def select(problem: Problem, *, name: str, n_picks: int, control_ratio: float, seed: int) -> list[Pick]:
    """Return the next batch of one strategy, best first; see `mix`."""
    return mix(problem, rules=[Rule(name, 1.0)], n_picks=n_picks, control_ratio=control_ratio, seed=seed)


def mix(
    problem: Problem,
    *,
    rules: Sequence[Rule],
    n_picks: int,
    control_ratio: float,
    seed: int,
    within: BoolArray | None = None,
    control: Control | None = None,
) -> list[Pick]:
    """Return the next batch, each pick with its reason; never a row asked before, never one twice.

    Parameters
    ----------
    problem
        Pool and answers so far.
    rules
        Which strategies choose which shares; their picks follow each other, each best first.
    n_picks
        Batch size, >= 1. Fewer come back only when fewer rows were not asked. Where a strategy
        finds fewer (near copies only, a threshold), the rest is filled and says so.
    control_ratio
        Share of the batch drawn uniformly at random from all rows not asked, in [0, 0.5]: the unbiased control.
    seed
        The same seed gives the same batch.
    within
        Rows the strategies may choose among, shape (n,); None: all. Control picks come from all rows all the same.
    control
        Control picks drawn already, from a larger pool of which this one is a part; None: they are drawn here.

    Raises
    ------
    ValueError
        On unknown strategies, shares that do not sum to one, a batch below 1 or a ratio outside [0, 0.5], and when
        fewer rows may be chosen than the batch takes.

    Notes
    -----
    Before two classes have labels (and without the customer's probabilities), strategies that need a model pick by
    coverage; the reason says so.
    """
    check_rules(rules)
    if n_picks < 1 or not 0 <= control_ratio <= 0.5:
        raise ValueError(
            f"need a batch of at least 1 and a control ratio in [0, 0.5], got {n_picks} and {control_ratio}"
        )
    rng = np.random.default_rng([seed, len(problem.asked.rows)])
    free = ~np.isin(np.arange(len(problem.X)), problem.asked.rows)
    n_picks = min(n_picks, int(free.sum()))
    controls, propensity = control or draw_control(free, round(n_picks * control_ratio), rng)
    free[controls] = False
    if within is not None:
        free &= within
        if free.sum() < n_picks - len(controls):
            raise ValueError(
                f"{free.sum()} of the records to choose among were not asked yet, the batch takes "
                f"{n_picks - len(controls)}; name more"
            )
    distinct = problem.allowed & ~np.isin(problem.group, problem.group[controls])
    picks: list[Pick] = []
    for rule, count in zip(rules, _counts(rules, n_picks - len(controls)), strict=True):
        found = _choose(problem, get(rule.strategy), free, distinct, count, rng) if count else []
        picks += found
        rows = [pick.row for pick in found]
        free[rows] = False
        distinct &= ~np.isin(problem.group, problem.group[rows])
    picks += _fill(problem, free, n_picks - len(controls) - len(picks), rng)
    return picks + [reasons.explain(problem, int(row), CONTROL, propensity, 0.0) for row in controls]


def by_hand(problem: Problem, rows: Sequence[int]) -> list[Pick]:
    """Return rows that the customer chose as picks.

    Raises
    ------
    ValueError
        When a row is outside the pool, given twice, or was asked before.
    """
    given = np.asarray(rows, dtype=np.int64)
    if len(given) == 0 or given.min() < 0 or given.max() >= len(problem.X):
        raise ValueError(f"give at least one row of the {len(problem.X)}, got {list(rows)[:5]}")
    if len(np.unique(given)) < len(given):
        raise ValueError(f"{len(given)} rows were given, only {len(np.unique(given))} of them different")
    again = given[np.isin(given, problem.asked.rows)]
    if len(again):
        raise ValueError(f"{len(again)} rows were asked before, the first is row {again[0]}")
    return [reasons.explain(problem, int(row), MANUAL, None, 0.0) for row in given]


def _choose(
    problem: Problem, strategy: Strategy, free: BoolArray, distinct: BoolArray, count: int, rng: np.random.Generator
) -> list[Pick]:
    is_cold = strategy.needs_model and not problem.has_model
    used = get("coverage") if is_cold else strategy
    scored = used.choose(problem, free & distinct if used.keeps_groups else free.copy(), count, rng)
    before = NO_MODEL_YET if is_cold else scored.words
    arm, why = (scored.arm, get(scored.arm).why) if scored.arm else (strategy.name, used.why)
    n_chosen = len(scored.rows) - scored.n_drawn
    picks = [
        reasons.explain(problem, int(row), arm, None, float(utility), why=why, before=before)
        for row, utility in zip(scored.rows[:n_chosen], scored.utilities[:n_chosen], strict=True)
    ]
    if scored.n_drawn:
        sought = class_search.words(problem.known_labels, problem.n_classes, problem.class_names)
        picks += [
            reasons.explain(problem, int(row), SEARCH, None, 0.0, before=sought) for row in scored.rows[n_chosen:]
        ]
    return [replace(pick, parts=pick.parts | scored.kept) for pick in picks] if scored.kept else picks


def _counts(rules: Sequence[Rule], n_picks: int) -> list[int]:
    """Return how many picks each rule has: largest remainders, ties to the earlier rule."""
    exact = np.array([rule.share * n_picks for rule in rules])
    counts = np.floor(exact + 1e-9).astype(int)
    for at in np.argsort(counts - exact, kind="stable")[: n_picks - counts.sum()]:
        counts[at] += 1
    return [int(count) for count in counts]


def draw_control(free: BoolArray, n_control: int, rng: np.random.Generator) -> Control:
    """Return rows drawn uniformly from those free, shape (n,), and the chance each of them had."""
    rows = np.flatnonzero(free)
    chosen = np.sort(rng.choice(rows, size=n_control, replace=False))
    return chosen, len(chosen) / max(len(rows), 1)


def _fill(problem: Problem, free: BoolArray, count: int, rng: np.random.Generator) -> list[Pick]:
    """Return rows for what no strategy found: the most relevant first, then at random."""
    rows = rng.permutation(np.flatnonzero(free))
    if count <= 0 or not len(rows):
        return []
    order = np.argsort(-problem.relevance.proba[rows], kind="stable")
    return [reasons.explain(problem, int(row), FILL, None, 0.0) for row in rows[order][:count]]
