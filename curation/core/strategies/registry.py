"""The contract of a query strategy, and the register of those there are."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from curation.core.arrays import BoolArray, FloatArray, IntArray
from curation.core.problem import Problem


@dataclass(frozen=True, eq=False)
class Scored:
    """What a strategy returns: rows best first, and their utilities (higher = more worth labeling).

    Where it let another strategy choose: that one's name, what is to be kept with each pick, and what to say first.
    The last ``n_drawn`` rows were drawn at random to find classes without a label; they come at no utility.
    """

    rows: IntArray
    utilities: FloatArray
    arm: str = ""
    kept: dict[str, float] = field(default_factory=dict)
    words: str = ""
    n_drawn: int = 0


Choose = Callable[[Problem, BoolArray, int, np.random.Generator], Scored]


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to pick a batch.

    Attributes
    ----------
    name
        What people call it by.
    choose
        Takes the problem, which rows may be picked (n,), how many to pick and a generator; returns at most that many
        distinct allowed rows, best first, no two of them near copies. The inputs stay as they are. The same generator
        state gives the same rows.
    needs_model
        Whether it says nothing before two classes have labels; until then coverage picks in its stead.
    why
        Its reason in words, a format string over the parts of a pick's reason; empty: worked out from the parts.
    keeps_groups
        Whether near copies of what was asked are left out before it chooses.
    """

    name: str
    choose: Choose
    needs_model: bool = False
    why: str = ""
    keeps_groups: bool = True


_strategies: dict[str, Strategy] = {}


def register(
    name: str, *, why: str = "", needs_model: bool = False, keeps_groups: bool = True
) -> Callable[[Choose], Choose]:
    """Register a query strategy; the contract test covers it from then on."""

    def enter(choose: Choose) -> Choose:
        if name in _strategies:
            raise ValueError(f"the strategy {name!r} is registered twice")
        _strategies[name] = Strategy(name, choose, needs_model, why, keeps_groups)
        return choose

    return enter


def names() -> list[str]:
    """Return the registered strategies, sorted."""
    return sorted(_strategies)


def get(name: str) -> Strategy:
    """Return a strategy; ValueError names those there are."""
    if name not in _strategies:
        raise ValueError(f"there is no strategy {name!r}; choose one of {', '.join(names())}")
    return _strategies[name]
