"""What vetted work earns: the labels that passed, at the price of the accepted offer, once per assignment."""

from django.db.models import F

from common.clock import database_now
from marketplace.core import pricing
from marketplace.core.states import AnnotationState
from marketplace.models import Assignment, Job, Settlement
from marketplace.services import events


def settle(assignment: Assignment) -> Settlement:
    """Settle a decided assignment inside the caller's transaction; a second call returns the first settlement.

    The budget held for it shrinks to what was earned; where the customer may review, money moves when that ends.
    Locks the job's row.
    """
    job = Job.objects.select_for_update(of=("self",), no_key=True).get(pk=assignment.job_id)
    existing = Settlement.objects.filter(assignment=assignment).first()
    if existing is not None:
        return existing
    n_paid = assignment.annotations.filter(is_current=True, state=AnnotationState.ACCEPTED).count()
    vendor_micro = n_paid * assignment.price_micro
    earned_micro = pricing.cost_micro(n_paid, assignment.price_micro, job.fee_basis_points)
    settlement = Settlement.objects.create(
        assignment=assignment,
        job=job,
        vendor_id=assignment.vendor_id,
        n_paid=n_paid,
        price_micro=assignment.price_micro,
        currency=job.currency,
        vendor_micro=vendor_micro,
        fee_micro=earned_micro - vendor_micro,
        post_due_at=database_now() if job.is_billed and earned_micro and not job.review_window_s else None,
    )
    Job.objects.filter(pk=job.pk).update(
        committed_micro=F("committed_micro") - (assignment.reserved_micro - earned_micro),
        spent_micro=F("spent_micro") + earned_micro,
    )
    events.of_batch(
        assignment.batch,
        "assignment.settled",
        vendor_id=assignment.vendor_id,
        subject=assignment.pk,
        n_paid=n_paid,
        vendor_micro=vendor_micro,
        fee_micro=earned_micro - vendor_micro,
    )
    return settlement
