"""A bandit over query strategies: which arm chooses a round, with which chance, and what it brought.

The chance of every draw is known and logged, so that later policies can be judged on it (`curation.core.offpolicy`).
Nothing is kept between rounds: what was drawn stands on the picks, what it brought is worked out from the labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from curation.core import proxy
from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray

NOISE: Final = 0.08
"""Standard deviation of how far one round moves the log of the out-of-fold loss by chance (measured: decision 0014)."""
LEVEL_SD: Final = 0.5
"""How far apart projects lie in how fast their loss falls; arms are compared within a project, so it may be wide."""
BOLDNESS: Final = 0.3
"""See `chances`; chosen on the benchmark's runs (decision 0014)."""
FLOOR: Final = 0.05
"""Share of the first round's chance that is spread evenly over the arms; it falls with the root of the rounds."""
_DRAWS: Final = 4096
_INVERSE_PENALTY: Final = 3.0
_LEAST_PROBABILITY: Final = 0.02
"""No single label can count for more than this: some are wrong."""


@dataclass(frozen=True, slots=True)
class Reward:
    """What a round brought: the share by which the out-of-fold loss fell per share by which the records paid for grew.

    ``growth`` is the log of how many times as many records are paid for after the round. A loss that falls as a power
    of the records has the same rate in every round.
    """

    rate: float
    growth: float


@dataclass(frozen=True, eq=False)
class Turn:
    """A round that was drawn: the arm, its chance, what it was expected to add to the usual, and all rows asked in it.

    ``expected`` is the prior's word at the time, in units of `Reward.rate`; ``reward`` what it brought, where that was
    worked out before.
    """

    arm: str
    probability: float
    expected: float
    rows: IntArray
    reward: Reward | None = None


def among(turns: Sequence[Turn], rows: IntArray) -> list[Turn]:
    """Return turns by the places of their rows among some rows of the pool, rising; rows not there are left out."""
    return [replace(turn, rows=np.searchsorted(rows, turn.rows[np.isin(turn.rows, rows)])) for turn in turns]


@dataclass(frozen=True, eq=False)
class Arms:
    """What is believed of each arm before its rounds are looked at, all of shape (k,).

    Attributes
    ----------
    expected
        Rate above the usual one in the circumstances of this round.
    spread
        Standard deviation of what a project's own rate may differ from that, > 0.
    """

    names: tuple[str, ...]
    expected: FloatArray
    spread: FloatArray

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.expected) == len(self.spread) or not len(self.names):
            raise ValueError(
                f"need one expectation and spread per arm, got {len(self.names)} arms, {len(self.expected)} and "
                f"{len(self.spread)}"
            )
        if not (self.spread > 0).all() or not np.isfinite(self.expected).all():
            raise ValueError("expectations must be finite and spreads positive")


def chances(
    arms: Arms, turns: Sequence[Turn], rng: np.random.Generator, *, noise: float = NOISE, boldness: float = BOLDNESS
) -> FloatArray:
    """Return the chance with which each arm shall choose the next round, shape (k,), all > 0, summing to 1.

    Parameters
    ----------
    arms
        Prior belief of this round.
    turns
        Rounds drawn before, each with its reward; turns of other arms only tell how fast the loss falls here.
    rng
        Draws from the posterior; the same state gives the same chances.
    noise
        Standard deviation of one round's fall of the log loss by chance.
    boldness
        What the posterior's standard deviations are multiplied by before drawing: 1 explores as if there were rounds
        without end, less for the few there are.

    Raises
    ------
    ValueError
        When a turn has no reward.

    Notes
    -----
    Thompson sampling with the chances worked out: each is the share of 4,096 draws from the posterior in which the arm
    is best, and a floor. Rates are normal: a project's usual rate, plus what the arm was expected to add in that round,
    plus what the arm adds here, plus noise of variance (noise / growth)^2. O(t k + k^3).

    References
    ----------
    Thompson (1933); Chapelle, Li (2011), An Empirical Evaluation of Thompson Sampling (posterior reshaping).
    """
    k = len(arms.names)
    known = list(dict.fromkeys([*arms.names, *(turn.arm for turn in turns)]))
    spread = np.append(arms.spread, np.full(len(known) - k, arms.spread.max()))
    precision = np.diag(np.append(1 / spread**2, 1 / LEVEL_SD**2))  # (arms + 1, arms + 1): the last is the usual rate
    pull = np.zeros(len(known) + 1)
    for turn in turns:
        if turn.reward is None:
            raise ValueError(f"the turn of {turn.arm} has no reward")
        at = [known.index(turn.arm), len(known)]
        weight = (turn.reward.growth / noise) ** 2
        precision[np.ix_(at, at)] += weight
        pull[at] += weight * (turn.reward.rate - turn.expected)
    covariance = np.linalg.inv(precision)
    centre = (covariance @ pull)[:k] + arms.expected
    draws = rng.multivariate_normal(centre, boldness**2 * covariance[:k, :k], size=_DRAWS, method="cholesky")
    best = np.bincount(draws.argmax(axis=1), minlength=k) / _DRAWS
    floor = FLOOR / np.sqrt(1 + len(turns))
    return np.asarray((1 - floor) * best + floor / k)


def reward(
    X: Float32Array,
    y: IntArray,
    weights: FloatArray,
    is_new: BoolArray,
    *,
    n_before: int,
    n_paid: int,
    n_classes: int,
) -> Reward:
    """Return what a turn brought, judged by the labels there were right after it.

    Parameters
    ----------
    X, y, weights
        Scaled features, labels and trust of every record labeled by then, in the order of asking.
    is_new
        Which of them the turn asked for, shape (n,).
    n_before, n_paid
        Records paid for before the turn and in it, labeled or not; the turn's at least 1.
    n_classes
        Classes of the schema.

    Notes
    -----
    Out of fold (five, by place) and cleaned: labels that models fitted without them confidently contradict are neither
    trained on nor counted. With and without the turn's labels the same held-out labels are judged. 15 fits. A turn
    before which there was no model weighs nothing: growth 0. Near copies among the labels would flatter a turn, as they
    fall into different folds; strategies never ask for them.
    """
    if n_before < 0 or n_paid < 1 or not len(X) == len(y) == len(weights) == len(is_new):
        raise ValueError(
            f"a turn pays for at least 1 record, after none or more, and each label has a place; got {n_paid} after "
            f"{n_before} and {len(X)}, {len(y)}, {len(weights)}, {len(is_new)} places"
        )
    kept = ~proxy.suspicious(X, y, weights, n_classes)
    X, y, weights, is_new = X[kept], y[kept], weights[kept], is_new[kept]
    if n_before == 0 or len(np.unique(y[~is_new])) < 2:
        return Reward(0.0, 0.0)
    before, after = (_held_out_loss(X, y, weights, used, n_classes) for used in (~is_new, np.ones_like(is_new)))
    growth = float(np.log((n_before + n_paid) / n_before))
    return Reward(float(np.log(before / after)) / growth, growth)


def _held_out_loss(X: Float32Array, y: IntArray, weights: FloatArray, used: BoolArray, n_classes: int) -> float:
    """Return the mean log loss of held-out labels under models fitted on the used ones of the other folds."""
    own = np.empty(len(y))
    fold = np.arange(len(y)) % proxy.N_FOLDS
    for number in range(proxy.N_FOLDS):
        out, fitted = np.flatnonzero(fold == number), used & (fold != number)
        model = proxy.fit(X[fitted], y[fitted], weights[fitted], n_classes, inverse_penalty=_INVERSE_PENALTY)
        own[out] = model.proba(X[out])[np.arange(len(out)), y[out]]
    losses = -np.log(np.clip(own, _LEAST_PROBABILITY, 1 - 1e-6))
    return float((weights * losses).sum() / weights.sum())
