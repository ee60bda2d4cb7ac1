"""Caps on compute replayed against measured rounds: how far a run goes under each, and whether it stays within."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import compute

STEPS: Final = 200
"""Caps are at every half percent of what the whole run took."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A measured round: records asked for at its end, and what it cost."""

    n_asked: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many caps left room for a first round, how many of them were exceeded, and by which share at most."""

    n_caps: int
    n_exceeded: int
    most_exceeded: float

    @property
    def n_held(self) -> int:
        """How many caps the run stayed within."""
        return self.n_caps - self.n_exceeded


def forecasts(run: Sequence[Turn]) -> list[float | None]:
    """Return what each round was forecast to cost from those before it; None where nothing was measured."""
    asked, costs = [one.n_asked for one in run], [one.cpu_s for one in run]
    return [compute.forecast(asked[:at], costs[:at], asked[at]) for at in range(len(run))]


def used_under(run: Sequence[Turn], cap: float) -> float:
    """Return what a run takes that ends, as campaigns do, before a round forecast to exceed the cap."""
    used = 0.0
    for turn, expected in zip(run, forecasts(run), strict=True):
        if used + (expected or 0.0) > cap:
            break
        used += turn.cpu_s
    return used


def replay(runs: Sequence[Sequence[Turn]]) -> Replayed:
    """Return how caps of all sizes fare; those below a run's first round, which nothing forecasts, are left out."""
    over = []
    for run in runs:
        caps = sum(turn.cpu_s for turn in run) * np.arange(1, STEPS) / STEPS
        over += [used_under(run, cap) / cap - 1 for cap in caps if cap >= run[0].cpu_s]
    exceeded = [share for share in over if share > 0]
    return Replayed(len(over), len(exceeded), max(exceeded, default=0.0))
