"""A bonus: what a customer gives a vendor on top, for a batch done well."""

import uuid

from django.db import transaction

from common import audit, ledger
from common.actors import Actor
from common.errors import NotFoundError
from common.ledger import LedgerKeyReusedError, Posting
from marketplace.errors import BonusGivenError, NothingToRewardError
from marketplace.models import Settlement
from marketplace.selectors import jobs
from marketplace.services import credit, events
from marketplace.services.holds import payable_to, wallet_of


def grant(*, actor: Actor, batch_id: uuid.UUID, amount_micro: int, reason: str) -> Settlement:
    """Give the vendor of a paid batch a bonus out of the wallet, once; the platform takes no fee of it.

    Asked again with the same amount, nothing more is given. Return what the batch earned. Ledger accounts are locked
    last.

    Raises
    ------
    NotFoundError
        When there is no such batch, or it is not the actor's.
    NothingToRewardError
        When no label of the batch was paid, or its job costs nothing.
    BonusGivenError
        When another bonus was given for it.
    InsufficientFundsError, InvoiceOverdueError
        When the wallet has less (what jobs hold is not touched), or no more credit is given.
    """
    actor.require("jobs:write")
    batch = jobs.batches(actor).select_related("job").filter(pk=batch_id).first()
    if batch is None or batch.job.organization_id != actor.organization_id:
        raise NotFoundError("There is no such batch.")
    settlements = Settlement.objects.select_related("vendor", "assignment")
    earned = settlements.filter(assignment__batch=batch, n_paid__gt=0).first()
    if earned is None or not batch.job.is_billed:
        raise NothingToRewardError
    wallet = wallet_of(batch.job.organization_id, batch.job.currency)
    vendor = payable_to(earned.vendor_id, earned.vendor.organization_id, batch.job.currency)
    posting = Posting(f"bonus/{batch.pk}", wallet, vendor, amount_micro, "Bonus", batch.job.public_id)
    try:
        with transaction.atomic(durable=True):
            if ledger.post([posting]):
                credit.check(wallet)
                facts = {"amount_micro": amount_micro, "reason": reason}
                events.of_batch(batch, "bonus.given", vendor_id=earned.vendor_id, subject=batch.pk, **facts)
                audit.record(actor=actor, action="bonus.given", target=batch, **facts)
    except LedgerKeyReusedError:
        raise BonusGivenError from None
    return earned
