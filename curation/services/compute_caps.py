"""Caps on compute: whether a round that has not begun would exceed what all rounds together may use."""

import uuid
from dataclasses import dataclass

from curation.core import compute as maths
from curation.selectors import compute


@dataclass(frozen=True, slots=True)
class Excess:
    """A round that must not begin: what may be used, what is, what the round is forecast to take (None: not known)."""

    max_cpu_s: int
    used_cpu_s: float
    round: int
    forecast_cpu_s: float | None

    @property
    def words(self) -> str:
        """What a person is told."""
        words = f"The compute cap of {self.max_cpu_s:,} CPU seconds is reached: {self.used_cpu_s:.1f} are used"
        if self.forecast_cpu_s is None:
            return f"{words}."
        return f"{words}, and round {self.round} is forecast to take {self.forecast_cpu_s:.1f}."


def excess(experiment_id: uuid.UUID, number: int, n_records: int, max_cpu_s: int | None) -> Excess | None:
    """Return why the next round, of so many records, must not begin; None when it may, or there is no cap.

    What the round has used already, in attempts that failed, is part of what it is forecast to use. Before any round
    was measured nothing can be forecast, and the first one may begin. Reads only.
    """
    if max_cpu_s is None:
        return None
    costs = {one.number: one.total.cpu_s for one in compute.of_rounds(experiment_id)}
    asked = compute.n_asked(experiment_id)
    measured = [one for one in asked if one in costs and one < number]
    before = max((asked[one] for one in measured), default=0)
    expected = maths.forecast([asked[one] for one in measured], [costs[one] for one in measured], before + n_records)
    begun = costs.get(number, 0.0)
    used = sum(costs.values()) - begun
    if used + max(expected or 0.0, begun) <= max_cpu_s:
        return None
    return Excess(max_cpu_s, round(used + begun, 6), number, expected)
