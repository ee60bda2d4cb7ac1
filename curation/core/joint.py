"""What to buy next, on one scale of worth per price: a new record, or another opinion on an old one and of whom.

A label is worth what it teaches: the uncertain, relevant mass of the pool that its record alone stands for, times how
far it is to be believed. Another opinion raises the second factor, a new record the first, a better vendor costs more.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import crowd, herding
from curation.core.arrays import BoolArray, Float32Array, FloatArray, IntArray, squared_distances

_MARKS: Final = 2048
_DOUBT: Final = 0.1
"""Share of the model's belief about a new record that is spread evenly."""


@dataclass(frozen=True, slots=True)
class Action:
    """An answer to buy: of which vendor, on which pool row, and whether it has been asked before."""

    row: int
    vendor: int
    is_new: bool
    worth_per_price: float


@dataclass(frozen=True, eq=False)
class State:
    """What is known before a round.

    Attributes
    ----------
    X
        Scaled pool, shape (n, d).
    weights
        How much each record wants to be covered (uncertainty times relevance), shape (n,), >= 0.
    proba
        The model's belief about each record, shape (n, k).
    rows
        Pool rows asked so far, shape (a,).
    belief
        What is believed of them, shape (a, k); rows nobody could label have no mass to give and are told by
        ``is_open`` False.
    is_open
        Which of them may be asked again, shape (a,).
    asked_of
        Who has answered what already, shape (a, V).
    confusion
        P(answer | class) of each vendor, shape (V, k, k).
    prices
        Price of an answer by vendor, shape (V,), > 0.
    overlap
        Answers that a new record is bought with, of different vendors, >= 1.
    """

    X: Float32Array
    weights: FloatArray
    proba: FloatArray
    rows: IntArray
    belief: FloatArray
    is_open: BoolArray
    asked_of: BoolArray
    confusion: FloatArray
    prices: FloatArray
    overlap: int = 1


def decide(
    state: State, *, allowed: BoolArray, group: IntArray, width: float, budget: float, rng: np.random.Generator
) -> list[Action]:
    """Return what to buy for a budget, best first.

    Parameters
    ----------
    allowed
        Which rows may be asked for the first time, shape (n,).
    group
        Near-duplicate group of each row.
    width
        Squared kernel width.
    budget
        What may be spent, in the unit of the prices.

    Raises
    ------
    ValueError
        When no vendor has a price, or one is not positive.

    Notes
    -----
    New records are valued by greedy herding, each as if those before it had been bought, and go to vendors by lot: so
    every vendor's confusion is learnt and none is alone in saying what a class is. Another opinion is valued by the
    mass its record alone covers, and asked of the vendor whose answer is expected to tell most per price.
    O(candidates x landmarks) as herding, plus O(a x landmarks).
    """
    if not len(state.prices) or state.prices.min() <= 0:
        raise ValueError(f"each vendor needs a price above 0, got {state.prices.tolist()}")
    n_most = int(budget / (state.prices.min() * state.overlap)) + 1
    actions = _new(state, allowed, group, width, n_most, rng)
    actions += _opinions(state, width, rng)
    bought, left = [], budget
    for action in sorted(actions, key=lambda a: -a.worth_per_price):
        price = state.prices[action.vendor] * (state.overlap if action.is_new else 1)
        if price <= left + 1e-9:
            bought.append(action)
            left -= price
    return bought


def _new(
    state: State, allowed: BoolArray, group: IntArray, width: float, n_most: int, rng: np.random.Generator
) -> list[Action]:
    herd = herding.herd(
        state.X,
        weights=state.weights,
        multiplier=np.ones(len(state.X)),
        covered_by=state.rows,
        allowed=allowed,
        group=group,
        width=width,
        n_picks=n_most,
        rng=rng,
    )
    n_classes = state.proba.shape[1]
    belief = (1 - _DOUBT) * state.proba[herd.rows] + _DOUBT / n_classes
    if state.overlap == 1:
        worth = (crowd.expected_worth(belief, state.confusion) / state.prices).mean(axis=1)  # (c,)
    else:
        several = crowd.expected_worth_of_several(belief, state.confusion, state.overlap, rng)
        worth = several / (state.overlap * state.prices.mean())
    vendor = rng.integers(0, len(state.prices), len(herd.rows))
    return [
        Action(int(row), int(v), True, float(gain * w))
        for row, v, gain, w in zip(herd.rows, vendor, herd.gains, worth, strict=True)
    ]


def _opinions(state: State, width: float, rng: np.random.Generator) -> list[Action]:
    """Return the best further opinion on each record asked so far."""
    mass = alone(state.X, state.weights, state.rows, width, rng)
    now = crowd.worth(state.belief)  # (a,)
    gain = (crowd.expected_worth(state.belief, state.confusion) - now[:, None]) / state.prices  # (a, V)
    gain[state.asked_of] = -np.inf
    vendor = gain.argmax(axis=1)
    best = gain[np.arange(len(gain)), vendor]
    value = mass * np.where(np.isfinite(best), best, 0.0)  # nobody is left to ask about some
    return [
        Action(int(state.rows[i]), int(vendor[i]), False, float(value[i]))
        for i in np.flatnonzero(state.is_open & (value > 0))
    ]


def alone(X: Float32Array, weights: FloatArray, rows: IntArray, width: float, rng: np.random.Generator) -> FloatArray:
    """Return the mass that each row alone covers, shape (len(rows),): what would be lost without it."""
    found = np.zeros(len(rows))
    if not len(rows):
        return found
    marks = np.arange(len(X)) if len(X) <= _MARKS else np.sort(rng.choice(len(X), _MARKS, replace=False))
    kernel = np.exp(-squared_distances(X[marks], X[rows]) / width)  # (marks, a)
    best = kernel.argmax(axis=1)
    top = kernel[np.arange(len(marks)), best]
    kernel[np.arange(len(marks)), best] = 0.0
    np.add.at(found, best, weights[marks] * (top - kernel.max(axis=1)))
    return found * len(X) / len(marks)
