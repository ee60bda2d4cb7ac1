"""Accepted work: opened by an accept, ended by delivery, release, or a timer; what was delivered is kept."""

import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import F

from common.actors import Actor
from common.clock import Now, database_now
from common.errors import NotFoundError
from marketplace.core import pricing
from marketplace.core.states import AssignmentState, BatchState
from marketplace.errors import AssignmentClosedError
from marketplace.models import Assignment, Batch, Job, Lot
from marketplace.services import events, nudges
from vendors.selectors import vendors
from vendors.services import capacity, posteriors

_OPEN = """
WITH made AS (
    INSERT INTO marketplace_assignment (
        id, created_at, batch_id, job_id, vendor_id, capability_id, offer_id, state, price_micro, reserved_micro,
        n_items, n_reworks, start_due_at, lapse_at, warn_at, due_at, reason)
    SELECT uuidv7(), statement_timestamp(), o.batch_id, o.job_id, o.vendor_id, o.capability_id, o.id, 'reserved',
           o.price_micro, %(reserved)s, %(n)s, 0, due.start_at,
           least(due.start_at + terms.start_grace_s * interval '1 second', due.end_at),
           statement_timestamp() + %(warning)s * (due.end_at - statement_timestamp()), due.end_at, ''
    FROM marketplace_offer o
    JOIN LATERAL (
        SELECT * FROM vendors_vendoragreement a
        WHERE a.vendor_id = o.vendor_id AND a.valid_from <= statement_timestamp() ORDER BY a.version DESC LIMIT 1
    ) terms ON true
    JOIN vendors_capacitywindow w ON w.vendor_id = o.vendor_id
    CROSS JOIN LATERAL (
        SELECT start_window_s AS start_s, start_window_s + base_s + seconds_per_label * %(n)s AS end_s
    ) AS asked
    CROSS JOIN LATERAL (SELECT
        CASE WHEN w.keeps_hours
             THEN vendors_working_deadline(o.vendor_id, statement_timestamp(), start_s, greatest(start_s, %(cap)s))
             ELSE statement_timestamp() + start_s * interval '1 second' END AS start_at,
        CASE WHEN w.keeps_hours
             THEN vendors_working_deadline(o.vendor_id, statement_timestamp(), end_s, greatest(end_s, %(cap)s))
             ELSE statement_timestamp() + end_s * interval '1 second' END AS end_at
    ) due
    WHERE o.id = %(offer)s
    RETURNING *
), held AS (
    UPDATE marketplace_batchitem i SET assignment_id = made.id FROM made
    WHERE i.batch_id = made.batch_id AND NOT i.is_done
), told AS (
    INSERT INTO marketplace_routingevent (created_at, job_id, lot_id, batch_id, vendor_id, kind, subject, facts)
    SELECT statement_timestamp(), made.job_id, b.lot_id, made.batch_id, made.vendor_id, 'offer.accepted', made.offer_id,
           jsonb_build_object('assignment', made.id)
    FROM made JOIN marketplace_batch b ON b.id = made.batch_id
)
SELECT * FROM made
"""


def open_for(*, offer_id: uuid.UUID, vendor_id: uuid.UUID, n_items: int, reserved_micro: int) -> Assignment:
    """Open the assignment of an accepted offer (inside the accept's transaction): its items, timers and event.

    The timers are those of the agreement in force, counted in the vendor's working time.
    """
    facts = {
        "offer": offer_id,
        "n": n_items,
        "reserved": reserved_micro,
        "warning": settings.WORK_WARNING_RATIO,
        "cap": settings.WORK_CAP_S,
    }
    made: Assignment | None = next(iter(Assignment.objects.raw(_OPEN, facts)), None)
    if made is None:
        raise LookupError(f"vendor {vendor_id} accepted without an agreement")
    return made


def release(*, actor: Actor, assignment_id: uuid.UUID, reason: str) -> Assignment:
    """Give accepted work back; delivered labels are kept, the rest is offered to the next candidate.

    Work not begun may be given back until it lapses without counting as unfinished: better early than silent.

    Raises
    ------
    AssignmentClosedError
        When the work is delivered or has ended.
    """
    actor.require("assignments:write")
    vendor = vendors.own(actor)
    with transaction.atomic(durable=True):
        assignment = (
            Assignment.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=assignment_id, vendor=vendor)
            .first()
        )
        if assignment is None:
            raise NotFoundError("There is no such assignment.")
        if assignment.state == AssignmentState.FAILED and assignment.reason == reason:
            return assignment
        if assignment.state not in {AssignmentState.RESERVED, AssignmentState.STARTED}:
            raise AssignmentClosedError(state=assignment.state)
        is_free = assignment.state == AssignmentState.RESERVED and assignment.lapse_at > database_now()
        fail(assignment, reason, is_counted=not is_free)
    nudges.sweep_soon()
    return assignment


def fail(assignment: Assignment, reason: str, *, is_counted: bool = True) -> None:
    """End locked, unfinished work: keep what was delivered, put the rest back on offer, free the slot.

    ``is_counted`` tells whether the vendor's record learns of it.

    Lock order: the caller holds the assignment; then batch, lot, job, capacity.
    """
    assignment.state, assignment.reason = AssignmentState.FAILED, reason
    assignment.save(update_fields=["state", "reason"])
    Assignment.objects.filter(pk=assignment.pk).update(closed_at=Now())
    n_done = assignment.items.filter(is_done=True).count()
    assignment.items.filter(is_done=False).update(assignment=None)
    batch = Batch.objects.select_for_update(no_key=True).get(pk=assignment.batch_id)
    give_back_budget(assignment, n_done)
    batch.state, batch.n_open = BatchState.OFFERING, batch.n_items - batch.items.filter(is_done=True).count()
    batch.save(update_fields=["state", "n_open"])
    Batch.objects.filter(pk=batch.pk).update(offer_due_at=Now())
    capacity.release(vendor_id=assignment.vendor_id)
    if is_counted:
        posteriors.record_completion(capability_id=assignment.capability_id, completed=False)
    facts = {"reason": reason, "is_counted": is_counted, "n_done": n_done, "n_left": batch.n_open}
    events.of_batch(batch, "assignment.failed", vendor_id=assignment.vendor_id, subject=assignment.pk, **facts)


def give_back_budget(assignment: Assignment, n_kept: int) -> None:
    """Shrink what an assignment holds of the job's budget to the labels that may still be paid."""
    job = Job.objects.only("fee_basis_points").get(pk=assignment.job_id)
    needed = pricing.cost_micro(n_kept, assignment.price_micro, job.fee_basis_points)
    freed = assignment.reserved_micro - needed
    if freed > 0:
        Job.objects.filter(pk=assignment.job_id).update(committed_micro=F("committed_micro") - freed)
        assignment.reserved_micro = needed
        assignment.save(update_fields=["reserved_micro"])


_TIMERS = (
    (AssignmentState.RESERVED, "lapse_at", "not_started"),
    (AssignmentState.STARTED, "due_at", "past_due"),
)


def sweep_timers(*, limit: int = 500) -> int:
    """End work that was never started in its window, or is past its deadline; return how many.

    Rows held by another sweeper or by a delivery in progress are skipped, and found again at the next tick.
    """
    ended = 0
    for state, column, reason in _TIMERS:
        with transaction.atomic():
            late = list(
                Assignment.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
                .filter(**{"state": state, f"{column}__lte": Now()})
                .order_by("pk")[:limit]
            )
            for assignment in late:
                fail(assignment, reason)
            ended += len(late)
    return ended + _close_late_rework(limit)


def _close_late_rework(limit: int) -> int:
    """Rework not delivered in time leaves the first answers standing; the next vetting decides on those."""
    with transaction.atomic():
        late = list(
            Assignment.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .filter(state=AssignmentState.REWORK, due_at__lte=Now())
            .order_by("pk")[:limit]
        )
        for assignment in late:
            assignment.items.filter(is_done=False).update(is_done=True)
            deliver(assignment)
    return len(late)


def deliver(assignment: Assignment) -> None:
    """Close the vendor's part of a locked, complete assignment and hand the batch to vetting."""
    assignment.state = AssignmentState.SUBMITTED
    assignment.save(update_fields=["state"])
    Assignment.objects.filter(pk=assignment.pk).update(submitted_at=Now())
    batch = Batch.objects.select_for_update(no_key=True).get(pk=assignment.batch_id)
    batch.state, batch.n_open = BatchState.DELIVERED, 0
    batch.save(update_fields=["state", "n_open"])
    Lot.objects.filter(pk=batch.lot_id).update(vet_due_at=Now())
    capacity.release(vendor_id=assignment.vendor_id)
    facts = {"n_reworks": assignment.n_reworks}
    events.of_batch(batch, "batch.delivered", vendor_id=assignment.vendor_id, subject=assignment.pk, **facts)
    nudges.vet_soon(batch.lot_id)
