"""How large a batch, and how many rounds: small ones teach more per label, each round costs waiting and retraining."""

from dataclasses import dataclass

import numpy as np

STALENESS = 0.06
"""Labels lost per doubling of the batch beyond the smallest, as a share: picks of a batch cannot learn from each other.
A prior; `measured` replaces it by the project's own figure."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a project knows of its vendors and its model.

    Attributes
    ----------
    n_labels
        Records that would be needed with the smallest batches, >= 1.
    price
        Of one record, > 0.
    round_cost
        Of one round whatever its size: retraining, handling, >= 0.
    latency_s
        From an offer to the first label, and retraining: the wait of each round, >= 0.
    rate
        Records a vendor labels per second, > 0.
    value_of_day
        What finishing a day earlier is worth, >= 0.
    least, most
        Bounds of a batch: what vendors take, and the most per round.
    deadline_s
        Time there is, or None.
    """

    n_labels: int
    price: float
    round_cost: float
    latency_s: float
    rate: float
    value_of_day: float = 0.0
    least: int = 10
    most: int = 10_000
    deadline_s: float | None = None
    staleness: float = STALENESS

    def __post_init__(self) -> None:
        if min(self.price, self.rate) <= 0 or min(self.round_cost, self.latency_s, self.value_of_day) < 0:
            raise ValueError("price and rate must be positive, costs and times not negative")
        if not 1 <= self.least <= self.most or self.n_labels < 1 or not 0 <= self.staleness < 1:
            raise ValueError(f"need 1 <= least <= most, got {self.least} and {self.most}, and at least 1 label")


@dataclass(frozen=True, slots=True)
class Cadence:
    """A plan: batch size, rounds, what it costs, how long it takes, whether the deadline holds, and why."""

    batch: int
    n_rounds: int
    n_labels: int
    cost: float
    duration_s: float
    is_in_time: bool
    words: str


def labels_needed(setting: Setting, batch: int) -> int:
    """Return the records needed at a batch size: each doubling beyond the smallest loses a share of them.

    >>> labels_needed(Setting(1000, 1, 0, 0, 1, least=10, staleness=0.1), 40)
    1200
    """
    return int(np.ceil(setting.n_labels * (1 + setting.staleness * np.log2(max(batch / setting.least, 1.0)))))


def measured(small: float, large: float, doublings: float) -> float:
    """Return the staleness of a project from the records needed with small and with large batches, in [0, 0.5]."""
    if small <= 0 or doublings <= 0:
        raise ValueError(f"need positive labels and doublings, got {small:g} and {doublings:g}")
    return float(np.clip((large / small - 1) / doublings, 0.0, 0.5))


def plan_of(setting: Setting, batch: int) -> tuple[int, int, float, float]:
    """Return rounds, records, cost in money and time of a batch size."""
    n = labels_needed(setting, batch)
    rounds = int(np.ceil(n / batch))
    duration = rounds * setting.latency_s + n / setting.rate
    return rounds, n, n * setting.price + rounds * setting.round_cost, duration


def choose(setting: Setting) -> Cadence:
    """Return the batch size of least cost, time priced in; where a deadline cannot be kept, the fastest one.

    Notes
    -----
    All sizes up to 64, then steps of 3 % up to the most: within half a percent of the best, in a few hundred steps.
    """
    sizes = np.unique(np.concatenate([np.arange(1, 65), np.round(64 * 1.03 ** np.arange(400))]).astype(np.int64))
    sizes = sizes[(sizes >= setting.least) & (sizes <= setting.most)]
    sizes = np.unique(np.append(sizes, [setting.least, min(setting.most, max(setting.least, setting.n_labels))]))
    plans = [(int(size), *plan_of(setting, int(size))) for size in sizes]
    day = setting.value_of_day / 86_400
    kept = [plan for plan in plans if setting.deadline_s is None or plan[4] <= setting.deadline_s]
    batch, rounds, n, cost, duration = (
        min(kept, key=lambda plan: (plan[3] + day * plan[4], plan[0])) if kept else min(plans, key=lambda plan: plan[4])
    )
    extra = n - setting.n_labels
    turns = _counted(rounds, "round")
    words = (
        f"{turns} of {batch}: about {_counted(extra, 'more record')} than with batches of {setting.least}, but "
        f"{_counted(plan_of(setting, setting.least)[0] - rounds, 'round')} less to wait for."
        if batch > setting.least
        else f"{turns} of {batch}: rounds cost little here, so each batch learns from the one before."
    )
    if not kept:
        words = f"The deadline cannot be kept; the fastest plan takes {duration / 3600:.1f} hours. {words}"
    return Cadence(batch, rounds, n, cost, duration, bool(kept), words)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
