"""A job's money: held from the wallet when it is posted, paid out of the hold as labels pass, the rest given back.

Accepting, declining and falling back move nothing: the hold follows the job. Each movement is a short transaction,
keyed by what it is for, so it may be tried again by anybody at any time.
"""

import uuid
from typing import Final

from django.db import transaction
from django.db.models import F

from common import ledger
from common.clock import Now
from common.ledger import Account, Kind, Posting
from marketplace.core.states import JobState
from marketplace.models import CardHold, Job, Settlement
from marketplace.services import credit, events

ENDED: Final = (JobState.CLOSED, JobState.CANCELLED)


def wallet_of(organization_id: uuid.UUID, currency: str) -> Account:
    """Return a customer's wallet in a currency."""
    return Account(Kind.WALLET, currency, organization_id, organization_id)


def hold_of(job: Job) -> Account:
    """Return the account of what a job has reserved."""
    return Account(Kind.HOLD, job.currency, job.pk, job.organization_id)


def payable_to(vendor_id: uuid.UUID, organization_id: uuid.UUID, currency: str) -> Account:
    """Return the account of what a vendor has earned and not been sent yet."""
    return Account(Kind.PAYABLE, currency, vendor_id, organization_id)


def authorized(currency: str) -> Account:
    """Return the account of what is held on customers' cards and not taken yet."""
    return Account(Kind.AUTHORIZED, currency)


def take(job: Job) -> None:
    """Hold a new job's budget, in the transaction that posts it (ledger accounts come last in the lock order).

    Raises
    ------
    InsufficientFundsError
        When the wallet, and the credit its owner was given, do not cover the budget.
    InvoiceOverdueError
        When they would, and an invoice is overdue.
    """
    wallet = wallet_of(job.organization_id, job.currency)
    ledger.post([Posting(f"hold/{job.pk}", wallet, hold_of(job), job.budget_micro, "Budget reserved", job.public_id)])
    credit.check(wallet)
    Job.objects.filter(pk=job.pk).update(is_billed=True, held_micro=job.budget_micro)
    job.refresh_from_db(fields=["is_billed", "held_micro"])
    events.of_job(job.pk, "money.held", amount_micro=job.budget_micro)


def post_due(*, limit: int = 200) -> int:
    """Book settlements that are due: hold to vendor and platform, each in a transaction of its own; return how many.

    Two runners never book the same one: the row is locked first and a locked one skipped.
    """
    due = Settlement.objects.filter(post_due_at__lte=Now()).order_by("post_due_at").values_list("pk", flat=True)
    return sum(_post(pk) for pk in list(due[:limit]))


def _post(settlement_id: uuid.UUID) -> bool:
    with transaction.atomic(durable=True):
        settlement = (
            Settlement.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("job", "vendor")
            .filter(pk=settlement_id, post_due_at__isnull=False)
            .first()
        )
        if settlement is None:
            return False
        hold = hold_of(settlement.job)
        vendor = payable_to(settlement.vendor_id, settlement.vendor.organization_id, settlement.currency)
        fee = Account(Kind.PLATFORM_FEE, settlement.currency)
        parts = [(vendor, settlement.vendor_micro, "Labels"), (fee, settlement.fee_micro, "Fee")]
        ledger.post(
            [
                Posting(f"settle/{settlement.pk}/{memo.lower()}", hold, account, amount, memo, settlement.public_id)
                for account, amount, memo in parts
                if amount
            ]
        )
        Settlement.objects.filter(pk=settlement.pk).update(post_due_at=None)
        return True


def release_due(*, limit: int = 200) -> int:
    """Give back what ended jobs hold and no longer need; return how many jobs."""
    ended = Job.objects.filter(state__in=ENDED, held_micro__gt=F("committed_micro")).values_list("pk", flat=True)
    return sum(_release(pk) for pk in list(ended[:limit]))


def _release(job_id: uuid.UUID) -> bool:
    with transaction.atomic(durable=True):
        job = (
            Job.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .filter(pk=job_id, state__in=ENDED)
            .first()
        )
        if job is None or job.held_micro <= job.committed_micro:
            return False
        free = job.held_micro - job.committed_micro
        is_on_card = CardHold.objects.filter(job=job, is_open=True).exists()
        source = authorized(job.currency) if is_on_card else wallet_of(job.organization_id, job.currency)
        # The key names what is held before: a job gives back in steps while its last work is being vetted.
        key = f"release/{job.pk}/{job.held_micro}"
        ledger.post([Posting(key, hold_of(job), source, free, "Unused budget given back", job.public_id)])
        Job.objects.filter(pk=job.pk).update(held_micro=job.committed_micro)
        events.of_job(job.pk, "money.released", amount_micro=free)
        return True
