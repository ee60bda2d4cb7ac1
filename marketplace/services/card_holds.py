"""Jobs paid by an amount held on a card: authorised first, renewed before it runs out, taken when the job has ended.

The hold stands for the job's budget in the ledger as long as it is open; what the job does not need goes back to it.
"""

import dataclasses
import datetime
import logging
import uuid
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from common import audit, card_payments, ledger, money, money_ops, payments
from common.actors import Actor
from common.clock import database_now
from common.errors import ValidationFailedError
from common.ledger import Account, Kind, Posting
from common.models import MoneyOp
from common.payment_types import Moved
from marketplace.models import CardHold, Job, SettlementAdjustment
from marketplace.services import cancellations, events, wallets
from marketplace.services.holds import ENDED, authorized, hold_of, wallet_of

logger = logging.getLogger(__name__)
LIFETIME: Final = datetime.timedelta(days=4, hours=18)
"""How long a card's bank keeps an amount held while its owner is away (Visa; others longer)."""
RENEWED_BEFORE: Final = datetime.timedelta(hours=24)
TAKEN_BEFORE: Final = datetime.timedelta(hours=2)
UNUSED: Final = datetime.timedelta(hours=24)
"""A hold that no job uses by then is freed."""
_OF_CARD: Final = MoneyOp.Kind.CARD_HOLD


def authorize(*, actor: Actor, amount_minor: int, currency: str, method_id: uuid.UUID | None = None) -> CardHold:
    """Have an amount held on a saved card, for one job to be posted with it within a day; nothing is taken yet.

    It is asked for at once. Where the provider cannot be reached it is tried again, and the hold's state tells.

    Raises
    ------
    ValidationFailedError
        When the amount is out of range, or there is no such payment method.
    """
    facts = wallets.payer(actor, amount_minor, method_id)
    with transaction.atomic(durable=True):
        hold = _plan(facts, actor.organization_id, amount_minor, currency)
        audit.record(actor=actor, action="card_hold.planned", target=hold, amount_minor=amount_minor, currency=currency)
    money_ops.run(op_id=hold.op_id, flows={_OF_CARD: CARD_HOLD})
    hold.refresh_from_db()
    return hold


def _plan(
    facts: dict[str, str], organization_id: uuid.UUID | None, amount_minor: int, currency: str, **of: CardHold
) -> CardHold:
    if organization_id is None:
        raise LookupError("a card hold has an organization")
    op = money_ops.plan(
        kind=_OF_CARD, organization_id=organization_id, amount_minor=amount_minor, currency=currency, facts=facts
    )
    return CardHold.objects.create(op=op, **of)


def expires_at(hold: CardHold) -> datetime.datetime:
    """Return when the card's bank may free the amount; counted from before it was asked."""
    return hold.op.created_at + LIFETIME


def take(job: Job, hold_id: uuid.UUID) -> None:
    """Let a hold stand for a new job's budget, in the transaction that posts it.

    Raises
    ------
    ValidationFailedError
        When there is no such hold, or it is used, not authorised, about to run out or too small.
    """
    found = CardHold.objects.select_for_update(of=("self",), no_key=True).select_related("op").filter(pk=hold_id)
    hold = found.filter(op__organization_id=job.organization_id, job=None, renews=None, is_open=True).first()
    if hold is None or hold.op.state != MoneyOp.State.AUTHORIZED or hold.op.currency != job.currency:
        detail = "There is no such amount held in this currency, or it is used already; have one held first."
        raise ValidationFailedError.of("card_hold", "unknown", detail)
    if expires_at(hold) - RENEWED_BEFORE <= database_now():
        raise ValidationFailedError.of("card_hold", "expired", "It is about to run out; have the amount held anew.")
    held_micro = money.to_micro(hold.op.amount_minor, job.currency)
    if held_micro < job.budget_micro:
        detail = f"{money.text(held_micro, job.currency)} are held, less than the budget."
        raise ValidationFailedError.of("card_hold", "too_small", detail)
    key, memo = f"hold/{job.pk}", "Budget reserved on a card"
    ledger.post([Posting(key, authorized(job.currency), hold_of(job), job.budget_micro, memo, job.public_id)])
    CardHold.objects.filter(pk=hold.pk).update(job=job)
    Job.objects.filter(pk=job.pk).update(is_billed=True, held_micro=job.budget_micro)
    job.refresh_from_db(fields=["is_billed", "held_micro"])
    events.of_job(job.pk, "money.held", amount_micro=job.budget_micro)


def mind() -> int:
    """Renew holds that run out, take those whose job has ended, free those nobody uses; return how many changed.

    Each in a transaction of its own; safe to run at any time and at once.
    """
    return sum(map(_mind, list(_open().values_list("pk", flat=True))))


def _open() -> QuerySet[CardHold]:
    return CardHold.objects.filter(is_open=True, op__state=MoneyOp.State.AUTHORIZED).order_by("pk")


def _mind(pk: uuid.UUID) -> bool:
    job_id = CardHold.objects.values_list("job", flat=True).get(pk=pk)
    is_refused = False
    with transaction.atomic(durable=True):
        job = Job.objects.select_for_update(of=("self",), no_key=True).filter(pk=job_id).first() if job_id else None
        hold = CardHold.objects.select_for_update(of=("self",), no_key=True).select_related("op").get(pk=pk)
        if not hold.is_open or hold.job_id != job_id:
            return False
        left = expires_at(hold) - database_now()
        if job is None:
            is_unused = hold.renews_id is None and hold.op.created_at + UNUSED <= database_now()
            return is_unused and _decide(hold, free=True)
        if job.state in ENDED:
            return _is_over(job, left) and _take(hold, job)
        if left > RENEWED_BEFORE:
            return False
        renewal = CardHold.objects.select_related("op").filter(renews=hold).first()
        if renewal is None:
            facts = {name: hold.op.facts[name] for name in ("customer", "method")}
            _plan(facts, job.organization_id, hold.op.amount_minor, job.currency, renews=hold)
            return True
        if renewal.op.state == MoneyOp.State.AUTHORIZED:
            _decide(hold, free=True)
            CardHold.objects.filter(pk=renewal.pk).update(job=job)
            events.of_job(job.pk, "card_hold.renewed")
            return True
        is_refused = renewal.op.state == MoneyOp.State.FAILED or left <= TAKEN_BEFORE
        if is_refused:
            events.of_job(job.pk, "card_hold.refused", reason=renewal.op.error_code)
    if is_refused:
        logger.warning("the card of %s is refused: the job ends, what it owes is taken", job.public_id)
        cancellations.cancel_job(actor=Actor.system(), job_id=job.pk)
    return is_refused


def _is_over(job: Job, left: datetime.timedelta) -> bool:
    """Return whether an ended job gave back what it does not need, and nothing more will change, or must not."""
    if job.held_micro > job.committed_micro:
        return False
    late = Q(settlement__job=job, post_due_at__isnull=False)
    is_booked = not job.settlements.filter(post_due_at__isnull=False).exists()
    is_booked = is_booked and not SettlementAdjustment.objects.filter(late).exists()
    return (is_booked and job.committed_micro == job.spent_micro) or left <= TAKEN_BEFORE


def _take(hold: CardHold, job: Job) -> bool:
    """Take what the job owes, up to the next whole cent, or free the hold if that is nothing."""
    per = money.micro_per_minor(job.currency)
    amount_minor = -(-job.held_micro // per)
    hold.op.facts["owed_micro"] = job.held_micro
    if amount_minor:
        hold.op.amount_minor = amount_minor
    return _decide(hold, free=not amount_minor)


def _decide(hold: CardHold, *, free: bool) -> bool:
    hold.op.facts["then"] = "free" if free else "take"
    hold.op.next_attempt_at = database_now()
    hold.op.save(update_fields=["facts", "amount_minor", "next_attempt_at"])
    CardHold.objects.filter(pk=hold.pk).update(is_open=False)
    return True


def _look(op: MoneyOp) -> Moved:
    """Take or free what is held, once it was decided; what is no longer there took nothing."""
    moved = payments.payment(op.provider_id)
    if moved.status == "requires_capture" and "then" in op.facts:
        if op.facts["then"] == "take":
            moved = card_payments.capture(op.provider_id, amount=op.amount_minor)
        else:
            moved = card_payments.free(op.provider_id)
    return moved if moved.status == "succeeded" else dataclasses.replace(moved, amount=op.amount_minor)


def _taken(op: MoneyOp, moved: Moved) -> list[Posting]:
    """Return the entries of an amount that was taken: what the job owed, and less than a cent for the wallet."""
    owed_micro, taken_micro = int(op.facts.get("owed_micro", 0)), money.to_micro(op.amount_minor, op.currency)
    fee_micro = money.to_micro(moved.fee, op.currency)
    card, group = authorized(op.currency), op.public_id
    parts = [
        ("taken", wallets.provider(op.currency), card, taken_micro, "Taken from a card"),
        ("rest", card, wallet_of(op.organization_id, op.currency), taken_micro - owed_micro, "Rest of a cent"),
        ("fee", Account(Kind.PROVIDER_FEES, op.currency), wallets.provider(op.currency), fee_micro, "Payment fee"),
    ]
    return [
        Posting(f"{op.kind}/{op.pk}/{name}", debit, credit, amount, memo, group)
        for name, debit, credit, amount, memo in parts
        if amount
    ]


def _not_taken(op: MoneyOp) -> list[Posting]:
    if op.facts.get("then") == "take":
        logger.error("%s owed %s %s that its card no longer held", op.public_id, op.amount_minor, op.currency)
    return []


CARD_HOLD = money_ops.Flow(
    call=lambda op, key: card_payments.authorize(
        customer=op.facts["customer"],
        method=op.facts["method"],
        amount=op.amount_minor,
        currency=op.currency,
        op=op.public_id,
        key=key,
    ),
    find=lambda op: payments.find_charge(customer=op.facts["customer"], op=op.public_id),
    look=_look,
    booked=_taken,
    undone=_not_taken,
)
