"""The market's beliefs about vendors told over again from offers, tests and events; equal to what was kept up at once.

A second way to the same numbers: it finds what a bug, a restored backup or a hand in the database has changed.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count

from vendors.core.replay import Tally, Told
from vendors.models import QualificationAttempt
from vendors.services import kept_posteriors
from vendors.services.kept_posteriors import Kept

_OFFERS: Final = """
SELECT o.capability_id, extract(epoch FROM o.decided_at)::float8, o.state,
       extract(epoch FROM max(o.decided_at - o.created_at))::float8, count(*)::int,
       (count(*) FILTER (WHERE b.hard_ratio >= 0.5))::int
FROM marketplace_offer o JOIN marketplace_batch b ON b.id = o.batch_id
WHERE o.state IN ('accepted', 'declined') OR (o.state = 'expired' AND NOT o.is_cut)
GROUP BY o.capability_id, o.decided_at, o.state, CASE WHEN o.state <> 'expired' THEN o.id END
ORDER BY o.decided_at
"""
"""What ran out in one sweep was counted in one step; so it is here."""

_EVENTS: Final = """
SELECT e.kind, a.capability_id, e.created_at, e.facts
FROM marketplace_routingevent e LEFT JOIN marketplace_assignment a ON a.id = e.subject
WHERE e.kind IN ('vendor.taught', 'annotations.received', 'batch.delivered', 'assignment.failed', 'accuracy.corrected')
ORDER BY e.id
"""
_TOLERANCE: Final = 0.02
"""Two events at the same moment may have been counted in the other order: so much of a count is no difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A belief whose kept numbers are not those its events give; None where there is no such row or event."""

    capability_id: uuid.UUID
    metric: str
    kept: Kept | None
    told: Kept | None


def run(*, write: bool = False) -> list[Difference]:
    """Tell all beliefs over again and return those that differ from what is kept; replace those where asked to.

    Reads one snapshot of the database, so that what happens meanwhile is neither missed nor counted twice; a belief
    that changed meanwhile is not written over.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        told = {(key, metric): row for key, one in _tell().items() for metric, row in kept_posteriors.rows_of(one)}
        kept = kept_posteriors.read()
        found = [
            Difference(*key, kept.get(key), told.get(key))
            for key in sorted(kept.keys() | told.keys())
            if not _is_same(kept.get(key), told.get(key))
        ]
        if write:
            kept_posteriors.replace({(d.capability_id, d.metric): d.told for d in found})
    return found


def _is_same(kept: Kept | None, told: Kept | None) -> bool:
    if kept is None or told is None or kept.n != told.n:
        return False
    return all(abs(a - b) <= _TOLERANCE * (1 + abs(a)) for a, b in zip(kept.numbers, told.numbers, strict=True))


def _tell() -> dict[uuid.UUID, Told]:
    told: dict[uuid.UUID, Told] = defaultdict(Told)
    for capability_id, at_s, state, seconds, n, n_hard in _rows(_OFFERS):
        if state == "expired":
            told[capability_id].silent(at_s, n, n_hard)
        else:
            told[capability_id].answered(at_s, accepted=state == "accepted", seconds=seconds, is_hard=n_hard > 0)
    tests: list[Any] = list(
        QualificationAttempt.objects.exclude(decided_at=None)
        .annotate(n_items=Count("items"))
        .order_by("-decided_at")
        .values_list("decided_at", "capability_id", "n_correct", "n_items", named=True)
    )
    for kind, capability_id, at, facts in _rows(_EVENTS):
        while tests and tests[-1].decided_at <= at:
            _test(told, tests.pop())
        _event(told, kind, capability_id, json.loads(facts))
    while tests:
        _test(told, tests.pop())
    return told


def _rows(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(5000):
            yield from rows


def _test(told: dict[uuid.UUID, Told], attempt: Any) -> None:
    told[attempt.capability_id].accuracy.see(attempt.n_correct, attempt.n_items - attempt.n_correct, attempt.n_items)


def _event(told: dict[uuid.UUID, Told], kind: str, capability_id: uuid.UUID, facts: dict[str, Any]) -> None:
    if kind == "accuracy.corrected":
        for key, weight in facts["moved"].items():
            told[uuid.UUID(key)].accuracy.move(weight)
        for key, weight in facts["moved_hard"].items():
            told[uuid.UUID(key)].accuracy_hard.move(weight)
    elif kind == "vendor.taught":
        _count(told[capability_id].accuracy, facts["accuracy"])
        _count(told[capability_id].accuracy_hard, facts["accuracy_hard"])
    elif kind == "annotations.received" and facts.get("label_s") is not None:
        told[capability_id].label.see(facts["label_s"])
    elif kind == "batch.delivered" and facts.get("n_reworks", 0) == 0:
        told[capability_id].completion.see(1.0, 0.0)
    elif kind == "assignment.failed" and facts["is_counted"]:
        told[capability_id].completion.see(0.0, 1.0)


def _count(tally: Tally, counts: dict[str, Any] | None) -> None:
    if counts is not None:
        tally.see(counts["successes"], counts["failures"], counts["n"])
