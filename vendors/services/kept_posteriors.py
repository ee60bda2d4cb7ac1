"""The stored posteriors as plain numbers, to compare with and to replace by what the events tell."""

import datetime
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vendors.core.replay import Tally, Timing, Told
from vendors.models import DurationPosterior, RatioPosterior

Key = tuple[uuid.UUID, str]
"""Capability and metric."""

_RATIOS = RatioPosterior.Metric
_DURATIONS = DurationPosterior.Metric


@dataclass(frozen=True, slots=True)
class Kept:
    """One posterior: what it counts, of how many observations, and when an offer was last answered or ran out."""

    numbers: tuple[float, ...]
    n: int
    told_at: datetime.datetime | None = None


def rows_of(told: Told) -> Iterator[tuple[str, Kept]]:
    """Return the posteriors of one capability that its events give, by metric."""
    tallies: dict[str, Tally] = {
        _RATIOS.ACCURACY: told.accuracy,
        _RATIOS.ACCURACY_HARD: told.accuracy_hard,
        _RATIOS.ACCEPTANCE_HARD: told.acceptance_hard,
        _RATIOS.COMPLETION: told.completion,
    }
    for metric, tally in tallies.items():
        if tally.n:
            yield metric, Kept((tally.successes, tally.failures), tally.n)
    if told.told_s is not None:
        one = told.acceptance
        at = datetime.datetime.fromtimestamp(told.told_s, datetime.UTC)
        yield _RATIOS.ACCEPTANCE, Kept((one.successes, one.failures, one.p_away), told.n_told, at)
    timings: dict[str, Timing] = {_DURATIONS.RESPONSE: told.response, _DURATIONS.LABEL: told.label}
    for metric, timing in timings.items():
        if timing.n:
            yield metric, Kept((timing.weight, timing.log_sum, timing.log_sum_sq), timing.n)


def read() -> dict[Key, Kept]:
    """Return all stored posteriors; two queries."""
    found: dict[Key, Kept] = {}
    for ratio in RatioPosterior.objects.iterator():
        counts = (ratio.successes, ratio.failures)
        is_acceptance = ratio.metric == _RATIOS.ACCEPTANCE
        numbers = (*counts, ratio.p_away) if is_acceptance else counts
        found[ratio.capability_id, ratio.metric] = Kept(numbers, ratio.n_observed, ratio.told_at)
    for row in DurationPosterior.objects.iterator():
        numbers = (row.weight, row.log_sum, row.log_sum_sq)
        found[row.capability_id, row.metric] = Kept(numbers, row.n_observed)
    return found


def replace(rows: Mapping[Key, Kept | None]) -> None:
    """Store posteriors in place of what is there; None removes one that nothing has taught."""
    for (capability_id, metric), kept in sorted(rows.items()):
        is_ratio = metric in _RATIOS.values
        model = RatioPosterior if is_ratio else DurationPosterior
        which: dict[str, Any] = {"capability_id": capability_id, "metric": metric}
        if kept is None:
            model.objects.filter(**which).delete()
        else:
            model.objects.update_or_create(**which, defaults=_ratio(kept) if is_ratio else _duration(kept))


def _ratio(kept: Kept) -> dict[str, Any]:
    successes, failures, *away = kept.numbers
    values: dict[str, Any] = {"successes": successes, "failures": failures, "n_observed": kept.n}
    return values | {"p_away": away[0], "told_at": kept.told_at} if away else values


def _duration(kept: Kept) -> dict[str, Any]:
    weight, log_sum, log_sum_sq = kept.numbers
    return {"weight": weight, "log_sum": log_sum, "log_sum_sq": log_sum_sq, "n_observed": kept.n}
