"""Cancelling: from any state before delivered; what was delivered is kept and payable, and no vendor's score changes.

Lock order: offers, assignments, batches, lot, job, capacity.
"""

import uuid
from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from common import locks
from common.actors import Actor
from common.clock import Now
from common.errors import NotFoundError, PermissionDeniedError
from marketplace.core.states import AssignmentState, BatchState, JobState, LotState
from marketplace.errors import BatchStateError, OfferClosedError
from marketplace.models import Assignment, Batch, Job, Lot, Offer
from marketplace.selectors import jobs
from marketplace.services import assignments, events, nudges, withdrawals
from vendors.services import capacity

UNDELIVERED: Final = frozenset(
    {
        BatchState.DRAFT,
        BatchState.OFFERING,
        BatchState.WAITING,
        BatchState.ESCALATED,
        BatchState.ASSIGNED,
        BatchState.IN_PROGRESS,
    }
)
"""States from which a batch may be cancelled."""


def cancel_job(*, actor: Actor, job_id: uuid.UUID) -> Job:
    """Cancel a job: live offers are withdrawn, unfinished work ends, delivered labels are kept and settled.

    Asked again, the cancelled job is returned. Vendors lose nothing in their record by it.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        job = jobs.get(actor, job_id)
        if job.state == JobState.CANCELLED:
            return job
        withdrawals.of_job(job.pk, "job_cancelled")
        work = _locked(Assignment.objects.filter(job=job))
        Batch.objects.filter(job=job, state__in=UNDELIVERED).update(
            state=BatchState.CANCELLED, offer_due_at=None, reason="job_cancelled"
        )
        # A sweeper may have made offers before we had the batches.
        withdrawals.of_job(job.pk, "job_cancelled", skip_locked=True)
        Lot.objects.filter(job=job, state=LotState.OPEN).update(vet_due_at=Now())
        _end(work, "job_cancelled")
        Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)
        job.refresh_from_db()
        events.of_job(job.pk, "job.cancelled")
        return job


def cancel_batch(*, actor: Actor, batch_id: uuid.UUID) -> Batch:
    """Cancel one batch; its records end with the answers they have. Asked again, the cancelled batch is returned.

    Raises
    ------
    BatchStateError
        When the batch is delivered already: vetting decides on it, and its review is the customer's.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        if not jobs.batches(actor).filter(pk=batch_id).exists():
            raise NotFoundError("There is no such batch.")
        withdrawals.of_batch(batch_id, "batch_cancelled")
        work = _locked(Assignment.objects.filter(batch_id=batch_id))
        batch = Batch.objects.select_for_update(of=("self",), no_key=True).get(pk=batch_id)
        if batch.state == BatchState.CANCELLED:
            return batch
        if batch.state not in UNDELIVERED:
            detail = f"This batch is {batch.state}: what is delivered is vetted and paid if it passes."
            raise BatchStateError(detail, state=batch.state)
        batch.state, batch.reason, batch.offer_due_at = BatchState.CANCELLED, "batch_cancelled", None
        batch.save(update_fields=["state", "reason", "offer_due_at"])
        withdrawals.of_batch(batch_id, "batch_cancelled", skip_locked=True)
        Lot.objects.filter(pk=batch.lot_id).update(vet_due_at=Now())
        _end(work, "batch_cancelled")
        events.of_batch(batch, "batch.cancelled", subject=batch.pk)
        nudges.vet_soon(batch.lot_id)
        return batch


def _locked(work: QuerySet[Assignment]) -> list[Assignment]:
    """Lock unfinished work before its batches."""
    return locks.rows(
        work.filter(state__in=[AssignmentState.RESERVED, AssignmentState.STARTED]).select_related("batch")
    )


def _end(work: Iterable[Assignment], reason: str) -> None:
    for assignment in work:
        assignment.state, assignment.reason = AssignmentState.CANCELLED, reason
        assignment.save(update_fields=["state", "reason"])
        Assignment.objects.filter(pk=assignment.pk).update(closed_at=Now())
        n_done = assignment.items.filter(is_done=True).count()
        assignments.give_back_budget(assignment, n_done)
        capacity.release(vendor_id=assignment.vendor_id)
        facts = {"reason": reason, "n_done": n_done}
        vendor_id = assignment.vendor_id
        events.of_batch(assignment.batch, "assignment.cancelled", vendor_id=vendor_id, subject=assignment.pk, **facts)


_LEFT_OVER: Final = """
WITH due AS MATERIALIZED (
    SELECT b.id FROM marketplace_batch b JOIN marketplace_job j ON j.id = b.job_id
    WHERE b.offer_due_at <= statement_timestamp() AND j.state = 'cancelled'
    ORDER BY b.offer_due_at LIMIT %(limit)s FOR NO KEY UPDATE OF b SKIP LOCKED
), gone AS (
    UPDATE marketplace_batch b SET state = 'cancelled', offer_due_at = NULL, reason = 'job_cancelled'
    FROM due WHERE b.id = due.id RETURNING b.id, b.job_id, b.lot_id
), told AS (
    INSERT INTO marketplace_routingevent (created_at, job_id, lot_id, batch_id, kind, subject, facts)
    SELECT statement_timestamp(), job_id, lot_id, id, 'batch.cancelled', id, '{}' FROM gone
), vetted AS (
    UPDATE marketplace_lot l SET vet_due_at = statement_timestamp() FROM gone WHERE l.id = gone.lot_id
)
SELECT count(*) FROM gone
"""


def cancel_left_over(*, limit: int = 500) -> int:
    """Cancel batches that came back on offer after their job was cancelled (refused work, a race); return how many.

    Any number may run at once: locked batches are skipped.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEFT_OVER, {"limit": limit})
        return int(cursor.fetchone()[0])


def withdraw_offer(*, actor: Actor, offer_id: uuid.UUID, reason: str) -> Offer:
    """Take a live offer back as staff, with a reason the vendor reads; the batch goes to the next candidate.

    Asked again, the withdrawn offer is returned; the vendor's record does not change.

    Raises
    ------
    OfferClosedError
        When the offer was decided otherwise.
    """
    actor.require("offers:withdraw")
    if not actor.is_staff:
        raise PermissionDeniedError
    if not Offer.objects.filter(pk=offer_id).exists():
        raise NotFoundError("There is no such offer.")
    withdrawals.one(offer_id, reason)
    nudges.sweep_soon()
    offer = Offer.objects.get(pk=offer_id)
    if offer.state != "withdrawn":
        raise OfferClosedError(f"This offer was {offer.state}.", state=offer.state)
    return offer
