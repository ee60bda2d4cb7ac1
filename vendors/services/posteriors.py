"""What an event teaches about vendors; called inside the transaction of that event, so it counts exactly once.

Capabilities are updated in id order, so that two callers with several capabilities cannot deadlock.
"""

import math
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from vendors.core.posteriors import (
    ACCURACY_FORGETTING,
    AWAY_RATIO,
    AWAY_S,
    DECLINE_WEIGHT,
    FORGETTING,
    SILENT_RATIO,
)
from vendors.models import DurationPosterior, RatioPosterior

_NOTHING: Final = 1e-100
"""A count this small is none: multiplied on and on, it would leave the range of a float, which is an error there."""

_MOST: Final = 10_000
"""Observations from which on what was known before is forgotten anyhow."""


def _kept(count: str) -> str:
    return (
        f"CASE WHEN {count} > {_NOTHING} THEN {count} ELSE 0 END"
        f" * power(%(keep)s::float8, least(EXCLUDED.n_observed, {_MOST}))"
    )


_RATIO_SQL = f"""
INSERT INTO vendors_ratioposterior (id, created_at, capability_id, metric, successes, failures, n_observed, p_away)
SELECT uuidv7(), now(), seen.capability_id, %(metric)s, seen.yes, seen.no, seen.n, %(away)s
FROM unnest(%(ids)s::uuid[], %(yes)s::float8[], %(no)s::float8[], %(n)s::bigint[])
    AS seen(capability_id, yes, no, n)
ORDER BY seen.capability_id
ON CONFLICT (capability_id, metric) DO UPDATE SET
    successes = {_kept("vendors_ratioposterior.successes")} + EXCLUDED.successes,
    failures = {_kept("vendors_ratioposterior.failures")} + EXCLUDED.failures,
    n_observed = vendors_ratioposterior.n_observed + EXCLUDED.n_observed
"""  # noqa: S608 - put together from constants
_ANSWER_SQL = f"""
INSERT INTO vendors_ratioposterior
    (id, created_at, capability_id, metric, successes, failures, n_observed, p_away, told_at)
VALUES (uuidv7(), now(), %(capability)s, 'acceptance', %(yes)s, %(no)s, 1, 0, statement_timestamp())
ON CONFLICT (capability_id, metric) DO UPDATE SET
    successes = {_kept("vendors_ratioposterior.successes")} + EXCLUDED.successes,
    failures = {_kept("vendors_ratioposterior.failures")} + EXCLUDED.failures,
    n_observed = vendors_ratioposterior.n_observed + 1, p_away = 0, told_at = statement_timestamp()
"""  # noqa: S608 - put together from constants
_SILENCE_SQL = f"""
INSERT INTO vendors_ratioposterior AS r
    (id, created_at, capability_id, metric, successes, failures, n_observed, p_away, told_at)
SELECT uuidv7(), now(), seen.capability_id, 'acceptance', 0, seen.n * greatest(1 - first.away, %(least)s), seen.n,
       first.away, statement_timestamp()
FROM unnest(%(ids)s::uuid[], %(n)s::bigint[]) AS seen(capability_id, n)
CROSS JOIN LATERAL (SELECT
    %(usual)s / (%(usual)s + (1 - %(usual)s) * power(%(silent)s::float8, least(seen.n, 100))) AS away) first
ORDER BY seen.capability_id
ON CONFLICT (capability_id, metric) DO UPDATE SET (successes, failures, n_observed, p_away, told_at) = (
    SELECT {_kept("r.successes")},
           {_kept("r.failures")} + EXCLUDED.n_observed * greatest(1 - next.away, %(least)s),
           r.n_observed + EXCLUDED.n_observed, next.away, statement_timestamp()
    FROM (SELECT coalesce(%(usual)s + (r.p_away - %(usual)s) * exp(-least(greatest(
              extract(epoch FROM statement_timestamp() - r.told_at)::float8 / %(stay_s)s, 0), 50)), %(usual)s)
              AS away) now,
         LATERAL (SELECT
             now.away / (now.away + (1 - now.away) * power(%(silent)s::float8, least(EXCLUDED.n_observed, 100)))
             AS away) next)
"""  # noqa: S608 - put together from constants
"""`Acceptance.silent` for many vendors at once; a test holds the two against each other."""

_DURATION_SQL = """
INSERT INTO vendors_durationposterior (id, created_at, capability_id, metric, weight, log_sum, log_sum_sq, n_observed)
VALUES (uuidv7(), now(), %(capability)s, %(duration)s, 1, %(log)s, %(log)s * %(log)s, 1)
ON CONFLICT (capability_id, metric) DO UPDATE SET
    weight = vendors_durationposterior.weight * %(keep)s + 1,
    log_sum = vendors_durationposterior.log_sum * %(keep)s + EXCLUDED.log_sum,
    log_sum_sq = vendors_durationposterior.log_sum_sq * %(keep)s + EXCLUDED.log_sum_sq,
    n_observed = vendors_durationposterior.n_observed + 1
"""
_RESPONSE_SQL = f"WITH answer AS ({_ANSWER_SQL}) {_DURATION_SQL}"


@dataclass(frozen=True, slots=True)
class Counts:
    """Successes and failures seen at one event (fractions allowed: posterior probabilities of being right)."""

    successes: float
    failures: float
    n: int = 1


def _log(seconds: float) -> float:
    return math.log(max(seconds, 1e-3))


def _record_ratio(metric: str, seen: Mapping[uuid.UUID, Counts], *, keep: float = FORGETTING) -> None:
    if not seen:
        return
    ids = sorted(seen)
    with connection.cursor() as cursor:
        cursor.execute(
            _RATIO_SQL,
            {
                "metric": metric,
                "ids": ids,
                "yes": [seen[i].successes for i in ids],
                "no": [seen[i].failures for i in ids],
                "n": [seen[i].n for i in ids],
                "keep": keep,
                "away": AWAY_RATIO,
            },
        )


def record_accuracy(*, seen: Mapping[uuid.UUID, Counts]) -> None:
    """Count right and wrong answers by capability."""
    _record_ratio(RatioPosterior.Metric.ACCURACY, seen, keep=ACCURACY_FORGETTING)


def record_hard_accuracy(*, seen: Mapping[uuid.UUID, Counts]) -> None:
    """Count the right and wrong answers that were given on hard records once more, on their own."""
    _record_ratio(RatioPosterior.Metric.ACCURACY_HARD, seen, keep=ACCURACY_FORGETTING)


def record_hard_responses(*, accepted: Iterable[uuid.UUID] = (), missed: Iterable[uuid.UUID] = ()) -> None:
    """Count offers of hard batches, by capability: accepted, or missed (declined or left to run out)."""
    seen = {i: Counts(n, 0, n) for i, n in Counter(accepted).items()}
    seen |= {i: Counts(0, DECLINE_WEIGHT * n, n) for i, n in Counter(missed).items()}
    _record_ratio(RatioPosterior.Metric.ACCEPTANCE_HARD, seen)


def correct_accuracy(*, moved: Mapping[uuid.UUID, float], moved_hard: Mapping[uuid.UUID, float]) -> None:
    """Turn evidence counted wrong into right, by capability (back where negative); the second for hard records.

    Nothing is forgotten and no count falls below 0.
    """
    metrics = RatioPosterior.Metric
    for metric, weights in ((metrics.ACCURACY, moved), (metrics.ACCURACY_HARD, moved_hard)):
        for capability_id in sorted(weights):
            weight = weights[capability_id]
            RatioPosterior.objects.filter(capability_id=capability_id, metric=metric).update(
                successes=Greatest(F("successes") + weight, 0.0), failures=Greatest(F("failures") - weight, 0.0)
            )


def record_response(*, capability_id: uuid.UUID, accepted: bool, seconds: float) -> None:
    """Count an offer that was accepted or declined, and how long that took; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RESPONSE_SQL,
            {
                "capability": capability_id,
                "yes": 1.0 if accepted else 0.0,
                "no": 0.0 if accepted else DECLINE_WEIGHT,
                "duration": DurationPosterior.Metric.RESPONSE,
                "log": _log(seconds),
                "keep": FORGETTING,
            },
        )


def record_silences(*, capability_ids: Iterable[uuid.UUID]) -> None:
    """Count offers that expired unanswered: missed by a vendor that was there, or a sign that it is away."""
    missed = Counter(capability_ids)
    if not missed:
        return
    ids = sorted(missed)
    with connection.cursor() as cursor:
        cursor.execute(
            _SILENCE_SQL,
            {
                "ids": ids,
                "n": [missed[i] for i in ids],
                "keep": FORGETTING,
                "usual": AWAY_RATIO,
                "silent": SILENT_RATIO,
                "least": DECLINE_WEIGHT,
                "stay_s": AWAY_S,
            },
        )


def record_completion(*, capability_id: uuid.UUID, completed: bool) -> None:
    """Count accepted work that was finished, or was not."""
    _record_ratio(RatioPosterior.Metric.COMPLETION, {capability_id: Counts(float(completed), float(not completed))})


def record_duration(*, capability_id: uuid.UUID, metric: DurationPosterior.Metric, seconds: float) -> None:
    """Record how long an answer to an offer, or one label, took."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DURATION_SQL,
            {
                "capability": capability_id,
                "duration": metric,
                "log": _log(seconds),
                "keep": FORGETTING,
            },
        )
