"""Paying later what was refused wrongly: one row for each answer, booked in a transaction of its own."""

import uuid

from django.db import transaction
from django.db.models import F

from common import ledger
from common.clock import Now, database_now
from common.ledger import Account, InsufficientFundsError, Kind, Posting
from marketplace.core import pricing
from marketplace.core.states import AnnotationState
from marketplace.models import Adjudication, Annotation, Correction, Job, Settlement, SettlementAdjustment
from marketplace.services import events, holds


def pay(
    annotation: Annotation, *, correction: Correction | None = None, adjudication: Adjudication | None = None
) -> SettlementAdjustment | None:
    """Add a refused answer to its settlement, in the caller's transaction; None when it is paid or not settled yet.

    The job pays if its budget (and what is held of it) covers the label and the fee, else the platform pays the label.
    Locks the job's row. Safe to repeat: an answer is added once.
    """
    settlement = Settlement.objects.filter(assignment=annotation.assignment_id).first()
    changed = Annotation.objects.filter(pk=annotation.pk, state=AnnotationState.REJECTED)
    if settlement is None or not changed.update(state=AnnotationState.ACCEPTED):
        return None
    job = Job.objects.select_for_update(of=("self",), no_key=True).get(pk=settlement.job_id)
    vendor_micro = settlement.price_micro
    earned = pricing.cost_micro(1, vendor_micro, job.fee_basis_points)
    room = (job.held_micro if job.is_billed else job.budget_micro) - job.committed_micro
    is_covered = earned <= room
    if is_covered:
        Job.objects.filter(pk=job.pk).update(
            committed_micro=F("committed_micro") + earned, spent_micro=F("spent_micro") + earned
        )
    row = SettlementAdjustment.objects.create(
        settlement=settlement,
        correction=correction,
        adjudication=adjudication,
        annotation=annotation,
        payer="job" if is_covered else "platform",
        vendor_micro=vendor_micro,
        fee_micro=earned - vendor_micro if is_covered else 0,
        post_due_at=database_now() if job.is_billed else None,
    )
    facts = {"vendor_micro": vendor_micro, "payer": row.payer}
    batch = annotation.assignment.batch
    events.of_batch(batch, "settlement.adjusted", vendor_id=settlement.vendor_id, subject=row.pk, **facts)
    return row


def post_due(*, limit: int = 200) -> int:
    """Book adjustments that are due, each in a transaction of its own; return how many.

    One the platform cannot pay yet stays due.
    """
    due = SettlementAdjustment.objects.filter(post_due_at__lte=Now()).order_by("post_due_at")
    n_booked = 0
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        try:
            n_booked += _post(pk)
        except InsufficientFundsError:
            continue
    return n_booked


def _post(pk: uuid.UUID) -> bool:
    with transaction.atomic(durable=True):
        row = (
            SettlementAdjustment.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("settlement__job", "settlement__vendor")
            .filter(pk=pk, post_due_at__isnull=False)
            .first()
        )
        if row is None:
            return False
        paid = row.settlement
        fee = Account(Kind.PLATFORM_FEE, paid.currency)
        payer = holds.hold_of(paid.job) if row.payer == "job" else fee
        vendor = holds.payable_to(paid.vendor_id, paid.vendor.organization_id, paid.currency)
        postings = [Posting(f"adjust/{row.pk}/label", payer, vendor, row.vendor_micro, "Label", row.public_id)]
        if row.fee_micro:
            postings.append(Posting(f"adjust/{row.pk}/fee", payer, fee, row.fee_micro, "Fee", row.public_id))
        ledger.post(postings)
        SettlementAdjustment.objects.filter(pk=row.pk).update(post_due_at=None)
        return True
