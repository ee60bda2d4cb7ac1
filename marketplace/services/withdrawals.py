"""Offers taken back by the market: a lost wave, a cancelled job, a budget gone. Never counts against the vendor.

Offers are locked in id order before anything below them in the lock order. The winner of a wave comes later: it holds
its batch already, so it skips offers that somebody is deciding on; whoever that is finds the batch taken.
"""

import uuid
from typing import Any, Final

from django.db import connection, transaction

from common.clock import Now
from marketplace.core.states import LOST_WAVE, BatchState
from marketplace.models import Batch

_WITHDRAW: Final = """
WITH mine AS MATERIALIZED (
    SELECT id FROM marketplace_offer WHERE state = 'live' AND {column} = %(value)s
    ORDER BY id FOR NO KEY UPDATE {locked}
), gone AS (
    UPDATE marketplace_offer o SET state = 'withdrawn', reason = %(reason)s, decided_at = statement_timestamp()
    FROM mine WHERE o.id = mine.id
    RETURNING o.id, o.job_id, o.lot_id, o.batch_id, o.vendor_id
), told AS (
    INSERT INTO marketplace_routingevent (created_at, job_id, lot_id, batch_id, vendor_id, kind, subject, facts)
    SELECT statement_timestamp(), job_id, lot_id, batch_id, vendor_id, 'offer.withdrawn', id,
           jsonb_build_object('reason', %(reason)s::text)
    FROM gone
)
SELECT batch_id FROM gone
"""


def _withdraw(column: str, value: uuid.UUID, reason: str, *, locked: str = "") -> list[uuid.UUID]:
    """Withdraw live offers in the caller's transaction and return their batches."""
    facts: dict[str, Any] = {"value": value, "reason": reason}
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW.format(column=column, locked=locked), facts)
        return [row[0] for row in cursor.fetchall()]


def siblings_of(batch_id: uuid.UUID) -> int:
    """Take the other offers of a wave back, in the transaction of the accept that won; return how many."""
    return len(_withdraw("batch_id", batch_id, LOST_WAVE, locked="SKIP LOCKED"))


def of_batch(batch_id: uuid.UUID, reason: str, *, skip_locked: bool = False) -> int:
    """Take all live offers of a batch back, before the caller locks the batch; return how many.

    Holding the batch already, the caller skips locked offers (``skip_locked``): those made in between are free.
    """
    return len(_withdraw("batch_id", batch_id, reason, locked="SKIP LOCKED" if skip_locked else ""))


def of_job(job_id: uuid.UUID, reason: str, *, skip_locked: bool = False) -> int:
    """Take all live offers of a job back as `of_batch` does, before the caller locks any batch; return how many."""
    return len(_withdraw("job_id", job_id, reason, locked="SKIP LOCKED" if skip_locked else ""))


def of_vendor(vendor_id: uuid.UUID, reason: str) -> int:
    """Take all live offers of a vendor back and hand their batches on, in the caller's transaction; return how many."""
    batches = _withdraw("vendor_id", vendor_id, reason)
    Batch.objects.filter(pk__in=batches, state=BatchState.OFFERING).update(offer_due_at=Now())
    return len(batches)


def one(offer_id: uuid.UUID, reason: str) -> bool:
    """Take one live offer back and hand its batch on; return whether it was live. Safe to repeat."""
    with transaction.atomic():
        batches = _withdraw("id", offer_id, reason)
        Batch.objects.filter(pk__in=batches, state=BatchState.OFFERING).update(offer_due_at=Now())
    return bool(batches)
