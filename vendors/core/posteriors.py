"""What is believed of a vendor: Beta posteriors of ratios, log-normal posteriors of durations, both forgetting."""

import math
from dataclasses import dataclass, replace
from typing import Final

from scipy import special

FORGETTING: Final = 0.985
"""Weight kept by older observations at each new one: an effective memory of about 67 observations."""
ACCURACY_FORGETTING: Final = 0.999
"""The same for accuracy, per label: a batch of fifteen labels fades the past as much as one answer to an offer does.

With 0.985 a vendor was judged by its last 67 labels; the noise of that cost more than drift does (decision 0003).
"""
AWAY_RATIO: Final = 0.05
"""Share of the time that a vendor is away: answers nothing for hours, though it says that it accepts offers."""
AWAY_S: Final = 4 * 3600.0
"""How long a vendor stays away, on average, seconds."""
DECLINE_WEIGHT: Final = 0.5
"""What a decline counts, in silences: an answer is worth having."""
HARD_PRIOR: Final = 10.0
"""Observations that the general record counts for on hard records."""
NEWCOMER_ENDS: Final = 5
"""A vendor is a newcomer to a kind of work until so many pieces of it have ended, well or badly."""
SILENT_RATIO: Final = 0.1
"""Share of offers left unanswered by a vendor that is there."""


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
    def variance(self) -> float:
        """Posterior variance."""
        return self.mean * (1 - self.mean) / (self.n + 1)

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
        """Expected duration in seconds: log-normal mean at the usual spread.

        The spread seen would make one odd quick answer look slow; this way a quicker one never does.
        """
        return math.exp(self.log_mean + self.prior_spread**2 / 2)

    def quantile_s(self, probability: float) -> float:
        """Return the duration in seconds not exceeded with a probability."""
        return math.exp(self.log_mean + self.log_spread * float(special.ndtri(probability)))


def on_hard(general: Ratio, successes: float, failures: float) -> Ratio:
    """Return the belief about hard records: what is seen on them, on top of the general mean counted ``HARD_PRIOR``.

    >>> on_hard(Ratio(90, 10), 0, 0).mean, on_hard(Ratio(90, 10), 10, 10).mean
    (0.9, 0.6333333333333333)
    """
    return Ratio(HARD_PRIOR * general.mean + successes, HARD_PRIOR * (1 - general.mean) + failures)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What offers have taught about a vendor: how often it accepts when it is there, and whether it is there.

    Attributes
    ----------
    successes, failures
        Forgetting counts; a decline counts half, a silence as far as being away does not explain it, and never less
        than a decline.
    p_away
        Probability that the vendor is away, at ``since_s`` before now.
    since_s
        Seconds since the last answer or silence; None before the first.

    Notes
    -----
    A vendor that is away leaves every offer unanswered; one that is there leaves ``SILENT_RATIO`` of them. One silence
    makes being away likelier, the next much likelier; an answer ends the doubt, and time takes both back to the usual.

    >>> one = Acceptance().silent()
    >>> round(one.p_away, 2), round(one.after(0).silent().p_away, 2), round(one.after(86400).p_away_now, 2)
    (0.34, 0.84, 0.05)
    """

    successes: float = 0.0
    failures: float = 0.0
    p_away: float = AWAY_RATIO
    since_s: float | None = None

    @property
    def p_away_now(self) -> float:
        """Probability that the vendor is away now."""
        if self.since_s is None:
            return AWAY_RATIO
        return AWAY_RATIO + (self.p_away - AWAY_RATIO) * math.exp(-max(self.since_s, 0.0) / AWAY_S)

    def after(self, seconds: float) -> "Acceptance":
        """Return the same belief some time after its last event."""
        return replace(self, since_s=seconds)

    def accepted(self, keep: float = FORGETTING) -> "Acceptance":
        """Return the belief after an offer was accepted."""
        return Acceptance(self.successes * keep + 1.0, self.failures * keep, 0.0, 0.0)

    def declined(self, keep: float = FORGETTING, weight: float = DECLINE_WEIGHT) -> "Acceptance":
        """Return the belief after an offer was declined."""
        return Acceptance(self.successes * keep, self.failures * keep + weight, 0.0, 0.0)

    def silent(self, n: int = 1, keep: float = FORGETTING) -> "Acceptance":
        """Return the belief after ``n`` offers ran out unanswered at once."""
        away = self.p_away_now
        away /= away + (1 - away) * SILENT_RATIO**n
        return Acceptance(
            self.successes * keep**n, self.failures * keep**n + n * max(1 - away, DECLINE_WEIGHT), away, 0.0
        )

    def p_accept(self, prior: Ratio) -> float:
        """Return the probability that an offer made now is accepted."""
        return prior.with_counts(self.successes, self.failures).mean * (1 - self.p_away_now)
