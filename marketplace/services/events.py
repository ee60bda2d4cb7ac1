"""The market's feed: written in the transaction of the transition it tells of."""

import uuid
from collections.abc import Iterable
from typing import Any

from marketplace.models import Batch, Lot, RoutingEvent


def of_batch(
    batch: Batch, kind: str, *, vendor_id: uuid.UUID | None = None, subject: uuid.UUID | None = None, **facts: Any
) -> RoutingEvent:
    """Append what happened to a batch."""
    return RoutingEvent.objects.create(
        job_id=batch.job_id,
        lot_id=batch.lot_id,
        batch_id=batch.pk,
        vendor_id=vendor_id,
        kind=kind,
        subject=subject,
        facts=facts,
    )


def of_batches(batches: Iterable[Batch], kind: str, **facts: Any) -> None:
    """Append the same thing of many batches, in one query."""
    RoutingEvent.objects.bulk_create(
        RoutingEvent(job_id=b.job_id, lot_id=b.lot_id, batch_id=b.pk, kind=kind, subject=b.pk, facts=facts)
        for b in batches
    )


def of_lot(lot: Lot, kind: str, **facts: Any) -> RoutingEvent:
    """Append what happened to a lot."""
    return RoutingEvent.objects.create(job_id=lot.job_id, lot_id=lot.pk, kind=kind, subject=lot.pk, facts=facts)


def of_job(job_id: uuid.UUID, kind: str, **facts: Any) -> RoutingEvent:
    """Append what happened to a job."""
    return RoutingEvent.objects.create(job_id=job_id, kind=kind, subject=job_id, facts=facts)
