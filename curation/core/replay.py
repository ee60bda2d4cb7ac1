"""How to choose from now on, found by replaying the choice on records that are labeled already.

Each replay hides the labels, asks for them again batch by batch as one setup would, and is judged on records it never
sees. Setups that fall behind are given up early (successive halving).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import selection
from curation.core.arrays import Asked, BoolArray, Float32Array, FloatArray, IntArray, check_features
from curation.core.portfolio import Turn
from curation.core.problem import Problem
from curation.core.selection import Rule
from curation.core.strategies import drawing

HELD_OUT: Final = 0.3
"""Share of the labeled records that judge a replay."""
LEAST_RECORDS: Final = 40
_KEPT_RATIO: Final = 3
"""Of how many setups one goes on to the next rung."""
_N_POINTS: Final = 50
_SAME: Final = ("scale", "scaled", "group", "median_distance")
"""What setups share on the same records."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A way to choose: which strategies have which share, and how many records a round has, >= 1."""

    rules: tuple[Rule, ...]
    batch: int

    @property
    def name(self) -> str:
        """The strategies, with their shares where there are several, and the batch size."""
        words = [r.strategy if len(self.rules) == 1 else f"{r.strategy}:{r.share:g}" for r in self.rules]
        return f"{'+'.join(words)} by {self.batch}"


@dataclass(frozen=True, slots=True)
class Spending:
    """What a replay may spend: records, of which a round itself costs some (retraining, waiting), >= 0."""

    budget: int
    round_cost: float = 0.0

    def n_rounds(self, batch: int) -> int:
        """Return the rounds the budget pays for."""
        return int((self.budget + 1e-9) // (batch + self.round_cost))


@dataclass(frozen=True, eq=False)
class Split:
    """Records a replay chooses from, shape (p,), and those that judge it, shape (h,), no near copy of the others."""

    pool: IntArray
    held_out: IntArray


@dataclass(frozen=True, eq=False)
class Standing:
    """A setup with its score in each replay so far, shape (replays,); the higher the mean the better."""

    setup: Setup
    scores: FloatArray

    @property
    def mean(self) -> float:
        """Mean score."""
        return float(self.scores.mean())


@dataclass(frozen=True, eq=False)
class Tuned:
    """The setup found, how all stood when they were given up, and what it cost beside the whole grid, in rounds."""

    chosen: Setup
    standings: list[Standing]
    n_rounds: int
    n_rounds_of_grid: int


class Labeled:
    """Records with the answers they got, split for replays once.

    Parameters
    ----------
    X
        Features, shape (n, d).
    labels
        Class, or -1 for "cannot be labeled", shape (n,).
    n_classes
        Classes of the schema, >= 2.
    n_splits
        Replays a setup can have at most, each on a split of its own.
    seed
        Makes splits and replays repeatable.

    Raises
    ------
    ValueError
        Below 40 records with a label, or with one class only: a replay would tell nothing.
    """

    def __init__(self, X: Float32Array, labels: IntArray, n_classes: int, *, n_splits: int, seed: int) -> None:
        check_features(X)
        if len(X) != len(labels) or n_splits < 1:
            raise ValueError(f"need a label per record and a split, got {len(X)}, {len(labels)} and {n_splits}")
        n_labeled, seen = int((labels >= 0).sum()), np.unique(labels[labels >= 0])
        if n_labeled < LEAST_RECORDS or len(seen) < 2:
            raise ValueError(
                f"{n_labeled} records of {len(seen)} classes are labeled; replays need {LEAST_RECORDS} of two at least"
            )
        self.X, self.labels, self.n_classes, self.seed = X, labels, n_classes, seed
        group = Problem(X, Asked.nothing(), n_classes, seed=seed).group
        self.splits = [_split(labels, group, np.random.default_rng([seed, at])) for at in range(n_splits)]
        self._shared: dict[int, dict[str, object]] = {}

    @property
    def n_to_choose_from(self) -> int:
        """Records of the smallest pool a replay chooses from."""
        return min(len(split.pool) for split in self.splits)

    def problem(self, at: int, asked: Asked) -> Problem:
        """Return split `at` as it stands; its held-out records are no part of it."""
        problem = Problem(self.X[self.splits[at].pool], asked, self.n_classes, seed=self.seed)
        if at not in self._shared:
            self._shared[at] = {name: getattr(problem, name) for name in _SAME}
            if (self.labels < 0).any():
                self._shared[at] |= {name: getattr(problem, name) for name in ("unusual", "graph")}
        problem.__dict__.update(self._shared[at])
        return problem

    def score(self, at: int, problem: Problem) -> float:
        """Return the accuracy on the held-out labels of a split."""
        held_out = self.splits[at].held_out
        proba = problem.model.proba(problem.scale(self.X[held_out]))
        return float((proba.argmax(axis=1) == self.labels[held_out]).mean())


def _split(labels: IntArray, group: IntArray, rng: np.random.Generator) -> Split:
    """Hold out whole groups of near copies until their labels are the share wanted; rejected records judge nothing."""
    order = rng.permutation(np.unique(group))
    n_labels = np.bincount(group, labels >= 0, minlength=int(group.max()) + 1)[order]
    count = int(np.searchsorted(np.cumsum(n_labels), HELD_OUT * n_labels.sum())) + 1
    is_held: BoolArray = np.isin(group, order[:count])
    return Split(np.flatnonzero(~is_held), np.flatnonzero(is_held & (labels >= 0)))


def play(labeled: Labeled, at: int, setup: Setup, spending: Spending) -> float:
    """Return the mean held-out accuracy of a setup over the second half of its spending, replayed on one split.

    Notes
    -----
    Between rounds the accuracy stays what it was; before the first it is that of guessing. The end alone would be the
    word of one round, the whole would punish large batches for their start. The same split and setup give the same.
    """
    pool = labeled.splits[at].pool
    asked, spent = Asked.nothing(), 0.0
    turns: list[Turn] = []
    curve = [(0.0, 1 / labeled.n_classes)]
    for _ in range(spending.n_rounds(setup.batch)):
        problem = labeled.problem(at, asked)
        problem.__dict__["turns"] = turns
        picks = selection.mix(
            problem, rules=setup.rules, n_picks=setup.batch, control_ratio=0.0, seed=labeled.seed + at
        )
        rows = np.array([pick.row for pick in picks], dtype=np.int64)
        if not len(rows):
            break
        turns = [*turns, *drawing.turns_of([picks])]
        asked = Asked(
            np.concatenate([asked.rows, rows]),
            np.concatenate([asked.labels, labeled.labels[pool[rows]]]),
            np.ones(len(asked.rows) + len(rows)),
        )
        spent += len(rows) + spending.round_cost
        curve.append((spent, labeled.score(at, labeled.problem(at, asked))))
    at_spent, accuracy = np.array(curve).T
    points = np.linspace(spending.budget / 2, spending.budget, _N_POINTS)
    return float(accuracy[np.searchsorted(at_spent, points, side="right") - 1].mean())


def tune(
    labeled: Labeled,
    setups: Sequence[Setup],
    spending: Spending,
    *,
    cost_ratio: float = 0.2,
    told: Callable[[str], None] = lambda words: None,
) -> Tuned:
    """Return the best setup found by successive halving over replays.

    Parameters
    ----------
    labeled
        Labeled records with as many splits as the whole grid would play.
    setups
        What to choose among, each once.
    spending
        What each replay may spend.
    cost_ratio
        Share of the rounds of the whole grid (every setup on every split) that may be played, in (0, 1]. The first
        split is played by all, whatever that costs.
    told
        Called with each setup that is being replayed.

    Raises
    ------
    ValueError
        When there is no setup, one is named twice, or the budget pays for no round of one or exceeds the records.

    Notes
    -----
    All setups of a rung are replayed on the same split, so that differences are paired; the best third goes on, two at
    least, until the rounds or the splits are used up.

    References
    ----------
    Jamieson, Talwalkar (2016), Non-stochastic Best Arm Identification and Hyperparameter Optimization.
    """
    _check(labeled, setups, spending)
    n_splits = len(labeled.splits)
    cost = {setup: spending.n_rounds(setup.batch) for setup in setups}
    of_grid = n_splits * sum(cost.values())
    left = int(cost_ratio * of_grid)
    scores: dict[Setup, list[float]] = {setup: [] for setup in setups}
    for at, alive in _rungs(setups, scores, cost, left, n_splits):
        for setup in alive:
            told(f"{setup.name}, replay {at + 1}")
            scores[setup].append(play(labeled, at, setup, spending))
    longest = max(len(of) for of in scores.values())
    finalists = [setup for setup in setups if len(scores[setup]) == longest]
    chosen = max(finalists, key=lambda setup: float(np.mean(scores[setup])))
    standings = [Standing(setup, np.array(of)) for setup, of in scores.items()]
    standings.sort(key=lambda one: (-len(one.scores), -one.mean))
    spent = sum(cost[setup] * len(of) for setup, of in scores.items())
    return Tuned(chosen, standings, spent, of_grid)


def _rungs(
    setups: Sequence[Setup], scores: dict[Setup, list[float]], cost: dict[Setup, int], left: int, n_splits: int
) -> Iterator[tuple[int, list[Setup]]]:
    """Yield each split with the setups to be replayed on it, as long as their rounds are left."""
    alive = list(setups)
    for at in range(n_splits):
        if at:
            n_kept = max(2, -(-len(alive) // _KEPT_RATIO))
            alive = sorted(alive, key=lambda setup: -float(np.mean(scores[setup])))[:n_kept]
        price = sum(cost[setup] for setup in alive)
        if at and (price > left or len(alive) < 2):
            return
        left -= price
        yield at, alive


def _check(labeled: Labeled, setups: Sequence[Setup], spending: Spending) -> None:
    if not setups or len(set(setups)) < len(setups):
        raise ValueError(f"{len(setups)} setups were given, {len(set(setups))} of them different; name each once")
    if not 1 <= spending.budget <= labeled.n_to_choose_from or spending.round_cost < 0:
        raise ValueError(
            f"a budget of {spending.budget} is wanted; replays choose among {labeled.n_to_choose_from} records, so "
            f"give 1 to {labeled.n_to_choose_from}, and no negative cost of a round"
        )
    for setup in setups:
        selection.check_rules(setup.rules)
        if setup.batch < 1 or spending.n_rounds(setup.batch) < 1:
            raise ValueError(
                f"the budget of {spending.budget} pays for no round of {setup.batch} at {spending.round_cost:g} a round"
            )
