"""Raising the budget of a job that is under way."""

import uuid

from django.db import transaction
from django.db.models import F

from common import audit, ledger
from common.actors import Actor
from common.clock import Now
from common.errors import ValidationFailedError
from common.ledger import Posting
from marketplace.core.states import BatchState, JobState
from marketplace.errors import CardHoldFixedError, JobClosedError
from marketplace.models import Batch, CardHold, Job
from marketplace.selectors import jobs
from marketplace.services import credit, events, nudges
from marketplace.services.holds import hold_of, wallet_of


def raise_to(*, actor: Actor, job_id: uuid.UUID, budget_micro: int) -> Job:
    """Raise a job's budget, hold the difference, and look again for who takes the batches that wait.

    Asked again for the same budget, the job is returned as it is. Locks the job; ledger accounts come last.

    Raises
    ------
    ValidationFailedError
        When the budget would fall: what is promised to vendors stays promised; cancel the job instead.
    JobClosedError
        When the job is not open.
    CardHoldFixedError
        When it is paid by an amount held on a card.
    InsufficientFundsError, InvoiceOverdueError
        When the wallet does not cover the difference, or no more credit is given; nothing changes.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        job = jobs.get(actor, job_id, lock=True)
        if job.state != JobState.OPEN:
            raise JobClosedError(state=job.state)
        if budget_micro == job.budget_micro:
            return job
        if budget_micro < job.budget_micro:
            detail = f"The budget is {job.budget_micro} and can only be raised; cancel the job to spend less."
            raise ValidationFailedError.of("budget_micro", "not_a_raise", detail)
        if CardHold.objects.filter(job=job, is_open=True).exists():
            raise CardHoldFixedError
        more = budget_micro - job.budget_micro
        if job.is_billed:
            wallet, key = wallet_of(job.organization_id, job.currency), f"hold/{job.pk}/{budget_micro}"
            ledger.post([Posting(key, wallet, hold_of(job), more, "Budget raised", job.public_id)])
            credit.check(wallet)
            Job.objects.filter(pk=job.pk).update(held_micro=F("held_micro") + more)
        Job.objects.filter(pk=job.pk).update(budget_micro=budget_micro)
        stuck = Batch.objects.filter(job=job, state__in=[BatchState.WAITING, BatchState.ESCALATED])
        stuck.exclude(reason="relabel_limit").update(
            state=BatchState.WAITING, reason="", n_offers=0, offer_due_at=Now(), max_round=F("round") + job.max_rounds
        )
        events.of_job(job.pk, "budget.raised", budget_micro=budget_micro, more_micro=more)
        audit.record(actor=actor, action="job.budget_raised", target=job, budget_micro=budget_micro)
        job.refresh_from_db()
    nudges.sweep_soon()
    return job
