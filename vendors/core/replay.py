"""Posteriors told over again from the events that taught them, one event at a time."""

import math
from dataclasses import dataclass, field

from vendors.core.posteriors import (
    ACCURACY_FORGETTING,
    DECLINE_WEIGHT,
    FORGETTING,
    Acceptance,
)


@dataclass(slots=True)
class Tally:
    """Forgetting counts of a yes-or-no outcome."""

    keep: float
    successes: float = 0.0
    failures: float = 0.0
    n: int = 0

    def see(self, successes: float, failures: float, n: int = 1) -> None:
        """Count outcomes that one event taught together."""
        kept = self.keep**n
        self.successes, self.failures = self.successes * kept + successes, self.failures * kept + failures
        self.n += n

    def move(self, weight: float) -> None:
        """Turn evidence that was counted wrong into right (or back, where negative); nothing is forgotten."""
        self.successes, self.failures = max(self.successes + weight, 0.0), max(self.failures - weight, 0.0)


@dataclass(slots=True)
class Timing:
    """Forgetting sums of a duration's logarithm."""

    weight: float = 0.0
    log_sum: float = 0.0
    log_sum_sq: float = 0.0
    n: int = 0

    def see(self, seconds: float) -> None:
        """Count one duration, seconds."""
        log = math.log(max(seconds, 1e-3))
        self.weight = self.weight * FORGETTING + 1
        self.log_sum = self.log_sum * FORGETTING + log
        self.log_sum_sq = self.log_sum_sq * FORGETTING + log * log
        self.n += 1


@dataclass(slots=True)
class Told:
    """Everything the events taught about one capability.

    Attributes
    ----------
    acceptance, told_s
        The belief after the last answer or silence, and when that was (seconds since the epoch; None before the first).
    """

    accuracy: Tally = field(default_factory=lambda: Tally(ACCURACY_FORGETTING))
    accuracy_hard: Tally = field(default_factory=lambda: Tally(ACCURACY_FORGETTING))
    acceptance_hard: Tally = field(default_factory=lambda: Tally(FORGETTING))
    completion: Tally = field(default_factory=lambda: Tally(FORGETTING))
    response: Timing = field(default_factory=Timing)
    label: Timing = field(default_factory=Timing)
    acceptance: Acceptance = field(default_factory=Acceptance)
    told_s: float | None = None
    n_told: int = 0

    def answered(self, at_s: float, *, accepted: bool, seconds: float, is_hard: bool) -> None:
        """Count an offer that was accepted or declined after some seconds."""
        self.acceptance = self.acceptance.accepted() if accepted else self.acceptance.declined()
        self.told_s, self.n_told = at_s, self.n_told + 1
        self.response.see(seconds)
        if is_hard:
            self.acceptance_hard.see(float(accepted), 0.0 if accepted else DECLINE_WEIGHT)

    def silent(self, at_s: float, n: int, n_hard: int) -> None:
        """Count offers that ran out in one sweep."""
        before = self.acceptance if self.told_s is None else self.acceptance.after(at_s - self.told_s)
        self.acceptance = before.silent(n)
        self.told_s, self.n_told = at_s, self.n_told + n
        if n_hard:
            self.acceptance_hard.see(0.0, DECLINE_WEIGHT * n_hard, n_hard)
