"""The market's own rules on vendors, as data: when a measured number is too far off, and what follows."""

from dataclasses import dataclass
from typing import Final

SILENT_STREAK: Final = "silent_streak"
FAIL_RATIO: Final = "fail_ratio"
ACCURACY_SHORTFALL: Final = "accuracy_shortfall"
METRICS: Final = (SILENT_STREAK, FAIL_RATIO, ACCURACY_SHORTFALL)
AWAY, PROBATION, SUSPEND_CAPABILITY = "away", "probation", "suspend_capability"
ACTIONS: Final = (AWAY, PROBATION, SUSPEND_CAPABILITY)
COMPARATORS: Final = (">", ">=")
_DAY_S: Final = 86_400.0

_WORDS: Final = {
    SILENT_STREAK: "{value:.0f} offers in a row ran out without an answer",
    FAIL_RATIO: "{value:.1%} of {n} accepted batches were not finished",
    ACCURACY_SHORTFALL: "the upper 90 % bound of the accuracy lies {value:.3f} below the floor after {n} labels",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: metric, comparison with a threshold once there are ``min_n`` observations, action and its length.

    Attributes
    ----------
    window_s
        How far back is looked, seconds.
    duration_s
        How long the action lasts, seconds; None until it is ended otherwise (a new test, staff, an appeal).
    """

    metric: str
    comparator: str
    threshold: float
    min_n: int
    action: str
    window_s: float
    duration_s: float | None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("metric", self.metric, METRICS),
            ("comparator", self.comparator, COMPARATORS),
            ("action", self.action, ACTIONS),
        ):
            if value not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, got {value!r}")
        if self.min_n < 1 or self.window_s <= 0 or (self.duration_s is not None and self.duration_s <= 0):
            raise ValueError(f"min_n, window_s and duration_s are positive: {self.min_n}, {self.window_s}")


DEFAULTS: Final = {
    "Three silent expiries in a row": Rule(SILENT_STREAK, ">=", 3, 3, AWAY, 7 * _DAY_S, 4 * 3600.0),
    "Accepted, then not finished": Rule(FAIL_RATIO, ">", 0.05, 20, PROBATION, 90 * _DAY_S, 30 * _DAY_S),
    "Accuracy below the floor": Rule(ACCURACY_SHORTFALL, ">", 0.0, 20, SUSPEND_CAPABILITY, 90 * _DAY_S, None),
}


def is_broken(rule: Rule, value: float, n: int) -> bool:
    """Return whether a measured value breaks a rule; fewer than ``min_n`` observations never do.

    >>> rule = DEFAULTS["Accepted, then not finished"]
    >>> is_broken(rule, 0.06, 19), is_broken(rule, 0.05, 20), is_broken(rule, 0.06, 20)
    (False, False, True)
    """
    if n < rule.min_n:
        return False
    return value >= rule.threshold if rule.comparator == ">=" else value > rule.threshold


def words_of(rule: Rule, value: float, n: int) -> str:
    """Return what was measured, in words.

    >>> words_of(DEFAULTS["Three silent expiries in a row"], 3, 3)
    '3 offers in a row ran out without an answer (allowed: below 3).'
    """
    limit = f"{rule.threshold:.1%}" if rule.metric == FAIL_RATIO else f"{rule.threshold:g}"
    allowed = f"below {limit}" if rule.comparator == ">=" else f"up to {limit}"
    return f"{_WORDS[rule.metric].format(value=value, n=n)} (allowed: {allowed})."
