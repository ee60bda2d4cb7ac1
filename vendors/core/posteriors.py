"""What is believed of a vendor: Beta posteriors of ratios, log-normal posteriors of durations, both forgetting."""

import math
from dataclasses import dataclass
from typing import Final

from scipy import special

FORGETTING: Final = 0.985
"""Weight kept by older observations at each new one: an effective memory of about 67 observations."""
ACCURACY_FORGETTING: Final = 0.999
"""The same for accuracy, per label: a batch of fifteen labels fades the past as much as one answer to an offer does.

With 0.985 a vendor was judged by its last 67 labels; the noise of that cost more than drift does (decision 0003).
"""
SILENCE_RECOVERY_S: Final = 7200.0
"""Time constant of the cool-down after an offer left unanswered, seconds."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A Beta(alpha, beta) belief about a ratio such as accuracy or acceptance.

    Attributes
    ----------
    alpha, beta
        Pseudo-counts of successes and failures, prior included; both > 0.

    Examples
    --------
    >>> round(Ratio(9.0, 1.0).mean, 2)
    0.9
    >>> Ratio(9.0, 1.0).lower(0.9) < 0.9 < Ratio(9.0, 1.0).upper(0.9)
    True
    """

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        if not (self.alpha > 0 and self.beta > 0):
            raise ValueError(f"a Beta posterior needs positive counts, got alpha {self.alpha} and beta {self.beta}")

    @property
    def mean(self) -> float:
        """Posterior mean in (0, 1)."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def n(self) -> float:
        """Effective number of observations, prior included."""
        return self.alpha + self.beta

    def lower(self, level: float = 0.9) -> float:
        """Return the lower end of the central interval that holds ``level`` of the belief."""
        return float(special.betaincinv(self.alpha, self.beta, (1 - level) / 2))

    def upper(self, level: float = 0.9) -> float:
        """Return the upper end of the central interval that holds ``level`` of the belief."""
        return float(special.betaincinv(self.alpha, self.beta, (1 + level) / 2))

    def with_counts(self, successes: float, failures: float) -> "Ratio":
        """Return the belief after further observations."""
        return Ratio(self.alpha + successes, self.beta + failures)


@dataclass(frozen=True, slots=True)
class Duration:
    """A belief about a duration: weighted mean and spread of its logarithm, shrunk to a prior.

    Attributes
    ----------
    weight
        Effective number of observations, >= 0.
    log_sum, log_sum_sq
        Weighted sums of log-seconds and of their squares.
    prior_s
        What is assumed without observations, seconds > 0; it counts as ``prior_weight`` observations.
    """

    weight: float
    log_sum: float
    log_sum_sq: float
    prior_s: float
    prior_weight: float = 2.0
    prior_spread: float = 0.7

    @property
    def log_mean(self) -> float:
        """Mean of log-seconds."""
        prior = self.prior_weight * math.log(self.prior_s)
        return (prior + self.log_sum) / (self.prior_weight + self.weight)

    @property
    def log_spread(self) -> float:
        """Standard deviation of log-seconds, > 0."""
        mean = self.log_mean
        scatter = self.log_sum_sq - 2 * mean * self.log_sum + self.weight * mean**2
        prior = self.prior_weight * (self.prior_spread**2 + (math.log(self.prior_s) - mean) ** 2)
        return math.sqrt(max((prior + scatter) / (self.prior_weight + self.weight), 1e-6))

    @property
    def mean_s(self) -> float:
        """Expected duration in seconds (log-normal mean)."""
        return math.exp(self.log_mean + self.log_spread**2 / 2)

    def quantile_s(self, probability: float) -> float:
        """Return the duration in seconds not exceeded with a probability."""
        return math.exp(self.log_mean + self.log_spread * float(special.ndtri(probability)))


def accept_probability(acceptance: Ratio, seconds_since_silence: float | None) -> float:
    """Return the probability that the next offer is accepted, cooled down after a silent expiry.

    Parameters
    ----------
    acceptance
        Posterior of accepted offers among decided ones.
    seconds_since_silence
        Age of the last offer that expired unanswered; None when there was none.

    Notes
    -----
    ``mean * (1 - 0.9 exp(-dt / 2 h))``: an hour ago still counts, yesterday no longer does.

    >>> accept_probability(Ratio(8, 2), None)
    0.8
    >>> round(accept_probability(Ratio(8, 2), 0.0), 2)
    0.08
    """
    if seconds_since_silence is None:
        return acceptance.mean
    return acceptance.mean * (1 - 0.9 * math.exp(-max(seconds_since_silence, 0.0) / SILENCE_RECOVERY_S))
