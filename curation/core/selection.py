"""Choosing the next batch: one contract for every query strategy, control picks drawn at random, a reason with each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from curation.core import duplicates, herding, proxy, relevance
from curation.core.arrays import (
    Asked,
    BoolArray,
    Float32Array,
    FloatArray,
    IntArray,
    Scaler,
    check_features,
    squared_distances,
)

CONTROL: Final = "control"


@dataclass(frozen=True, eq=False)
class Problem:
    """A pool, what was asked of it, and the classes; everything strategies share is worked out once.

    Attributes
    ----------
    X
        Features as given, shape (n, d).
    asked
        Rows asked before, with their answers.
    n_classes
        Classes of the label schema.
    anchor, anchor_labels
        Trusted in-scope records, shape (m, d), and their classes, shape (m,); both optional.
    seed
        Makes landmarks, folds and groups repeatable.
    """

    X: Float32Array
    asked: Asked
    n_classes: int
    anchor: Float32Array | None = None
    anchor_labels: IntArray | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_features(self.X)
        if len(self.asked.rows) and not 0 <= self.asked.rows.min() <= self.asked.rows.max() < len(self.X):
            raise ValueError(f"asked rows reach {self.asked.rows.max()}, the pool has {len(self.X)} rows")
        if len(self.asked.labels) and self.asked.labels.max() >= self.n_classes:
            raise ValueError(f"label {self.asked.labels.max()} is outside the {self.n_classes} classes")
        if self.anchor is not None:
            check_features(self.anchor)

    def rng(self, purpose: int) -> np.random.Generator:
        """Return the generator of one purpose; the same one each time."""
        return np.random.default_rng([self.seed, purpose])

    @cached_property
    def scale(self) -> Scaler:
        """The pool's scale."""
        return Scaler.of(self.X)

    @cached_property
    def scaled(self) -> Float32Array:
        """Scaled pool, shape (n, d)."""
        return self.scale(self.X)

    @cached_property
    def scaled_anchor(self) -> Float32Array | None:
        """Scaled anchor, shape (m, d)."""
        return None if self.anchor is None else self.scale(self.anchor)

    @cached_property
    def median_distance(self) -> float:
        """Median squared distance between random rows, > 0."""
        rng = self.rng(1)
        rows = self.scaled[rng.choice(len(self.X), size=min(1000, len(self.X)), replace=False)]
        distances = squared_distances(rows, rows)[np.triu_indices(len(rows), 1)]
        return float(np.median(distances)) if len(distances) and np.median(distances) > 0 else 1.0

    @cached_property
    def group(self) -> IntArray:
        """Near-duplicate groups, shape (n,)."""
        return duplicates.groups(self.scaled, self.rng(2))

    @cached_property
    def allowed(self) -> BoolArray:
        """Rows that may be picked, shape (n,): not asked, and no near copy of an asked one."""
        return np.asarray(~np.isin(self.group, self.group[self.asked.rows]))

    @cached_property
    def model(self) -> proxy.Model:
        """The proxy model fitted on cleaned labels and labeled anchors."""
        model, _ = proxy.fit_cleaned(*self.training_set, self.n_classes)
        return model

    @cached_property
    def training_set(self) -> tuple[Float32Array, IntArray, FloatArray]:
        """Scaled features, labels and weights of everything with a label."""
        labeled = self.asked.is_labeled
        X, y, w = self.scaled[self.asked.rows[labeled]], self.asked.labels[labeled], self.asked.weights[labeled]
        if self.scaled_anchor is None or self.anchor_labels is None:
            return X, y, w
        known = self.anchor_labels >= 0
        return (
            np.concatenate([self.scaled_anchor[known], X]),
            np.concatenate([self.anchor_labels[known], y]),
            np.concatenate([np.ones(int(known.sum())), w]),
        )

    @cached_property
    def proba(self) -> FloatArray:
        """Class probabilities of the pool, shape (n, n_classes)."""
        return self.model.proba(self.scaled)

    @cached_property
    def uncertainty(self) -> FloatArray:
        """Margin uncertainty, shape (n,), in [0, 1]; 1 everywhere before a model exists."""
        if self.model.estimator is None:
            return np.ones(len(self.X))
        return proxy.margin_uncertainty(self.proba)

    @cached_property
    def relevance(self) -> relevance.Relevance:
        """P(labelable) of the pool."""
        anchor = self.scaled_anchor
        prior = None
        if anchor is not None and len(anchor) >= relevance.MIN_ANCHOR:
            seen = relevance.from_anchor(self.scaled, anchor, self.rng(3))
            prior = seen.proba if seen.in_scope < relevance.ANCHOR_BELOW else None
        unusual = relevance.atypicality(self.scaled, self.rng(4))
        return relevance.estimate(self.scaled, self.asked, prior, unusual, self.median_distance)


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


@dataclass(frozen=True, slots=True)
class Pick:
    """A row chosen, by which arm and with which chance (None = not at random), its worth, and the reason."""

    row: int
    arm: str
    propensity: float | None
    utility: float
    parts: dict[str, float]
    words: str


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
        _explain(problem, int(row), name, None, float(utility))
        for row, utility in zip(scored.rows[keep], scored.utilities[keep], strict=True)
    ]
    return picks + [_explain(problem, int(row), CONTROL, propensity, 0.0) for row in control]


def _control(problem: Problem, n_control: int, rng: np.random.Generator) -> tuple[IntArray, float]:
    free = np.flatnonzero(~np.isin(np.arange(len(problem.X)), problem.asked.rows))
    chosen = np.sort(rng.choice(free, size=min(n_control, len(free)), replace=False))
    return chosen, len(chosen) / max(len(free), 1)


def _explain(problem: Problem, row: int, arm: str, propensity: float | None, utility: float) -> Pick:
    nearest = _nearest_asked(problem, row)
    copies = int((problem.group == problem.group[row]).sum()) - 1
    parts = {
        "coverage_gain": utility,
        "uncertainty": float(problem.uncertainty[row]),
        "relevance": float(problem.relevance.proba[row]),
        "nearest_asked": nearest,
        "n_near_copies": float(copies),
    }
    return Pick(row, arm, propensity, utility, parts, _words(parts, arm))


def _nearest_asked(problem: Problem, row: int) -> float:
    if not len(problem.asked.rows):
        return float("inf")
    distances = squared_distances(problem.scaled[[row]], problem.scaled[problem.asked.rows])
    return float(np.sqrt(distances.min() / problem.median_distance))


def _words(parts: dict[str, float], arm: str) -> str:
    if arm == CONTROL:
        return "Drawn at random as control: it measures what choosing is worth."
    if arm == "random":
        return "Drawn at random: the baseline."
    why = []
    if parts["uncertainty"] > 0.6:
        why.append(f"the model hesitates between two classes ({parts['uncertainty']:.0%} of the way to a tie)")
    if parts["nearest_asked"] > 0.8:
        why.append("nothing like it has been asked yet")
    if not why:
        why.append("it stands for many records that are still covered poorly")
    scope = f"; an annotator can probably label it ({parts['relevance']:.0%})"
    copies = f"; it speaks for {parts['n_near_copies']:.0f} near copies too" if parts["n_near_copies"] else ""
    text = ", and ".join(why) + scope + copies
    return text[0].upper() + text[1:] + "."
