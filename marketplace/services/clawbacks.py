"""Taking pay back for work that broke the terms: the customer has it at once, the vendor's earnings make up for it."""

import datetime
import uuid
from typing import Final

from django.db import transaction
from django.db.models import Sum

from common import audit, ledger, locks, outbox
from common.actors import Actor
from common.clock import database_now
from common.errors import NotFoundError, PermissionDeniedError, ValidationFailedError
from common.ids import uuid7
from common.ledger import Account, Kind, Posting
from common.models import LedgerAccount
from marketplace.core import pricing
from marketplace.errors import NothingToTakeBackError
from marketplace.models import Assignment, Clawback, Settlement
from marketplace.services import events
from marketplace.services.holds import payable_to, wallet_of
from vendors.models import Vendor

WINDOW: Final = datetime.timedelta(days=90)
"""How long after they were paid labels can be taken back."""


def take_back(*, actor: Actor, assignment_id: uuid.UUID, n_labels: int, reason: str) -> Clawback:
    """Give a customer back what it paid for labels of one piece of work, the fee with it; the vendor owes its part.

    The wallet has the money at once. What the vendor has not been sent yet goes against it at once, the rest is taken
    from what it earns next, before it is paid out. Locks the assignment, then the accounts.

    Raises
    ------
    NotFoundError
        When there is no such work.
    NothingToTakeBackError
        When it was not paid, or longer ago than 90 days.
    ValidationFailedError
        When fewer labels than that are paid and not taken back yet.
    InsufficientFundsError
        When the platform has not its part of the fee; nothing moves.
    """
    _staff(actor)
    with transaction.atomic(durable=True):
        work = locks.row(Assignment.objects.filter(pk=assignment_id))
        if work is None:
            raise NotFoundError("There is no such assignment.")
        paid = Settlement.objects.select_related("job", "vendor", "assignment__batch").filter(assignment=work).first()
        if paid is None or not paid.n_paid or not paid.job.is_billed or paid.post_due_at is not None:
            raise NothingToTakeBackError
        if paid.created_at + WINDOW < database_now():
            raise NothingToTakeBackError(f"It was paid more than {WINDOW.days} days ago.")
        before = _standing(paid)
        if n_labels > paid.n_paid - before:
            detail = f"{paid.n_paid - before} of {paid.n_paid} paid labels can be taken back, not {n_labels}."
            raise ValidationFailedError.of("n_labels", "out_of_range", detail)
        row = Clawback.objects.create(
            settlement=paid,
            n_labels=n_labels,
            vendor_micro=pricing.share(paid.vendor_micro, before, before + n_labels, paid.n_paid),
            fee_micro=pricing.share(paid.fee_micro, before, before + n_labels, paid.n_paid),
            reason=reason,
        )
        ledger.post(_postings(row, paid))
        _settle(paid.vendor, paid.currency)
        _tell(actor, row, paid, "taken_back")
        return row


def reverse(*, actor: Actor, clawback_id: uuid.UUID, reason: str) -> Clawback:
    """Give a vendor back what was taken; the platform pays it, and the customer keeps what it got. Safe to repeat.

    Raises
    ------
    NotFoundError
        When there is no such clawback.
    InsufficientFundsError
        When the platform has less; nothing moves.
    """
    _staff(actor)
    with transaction.atomic(durable=True):
        found = Clawback.objects.select_related("settlement").filter(pk=clawback_id).first()
        if found is None:
            raise NotFoundError("There is no such clawback.")
        locks.row(Assignment.objects.filter(pk=found.settlement.assignment_id))
        found.refresh_from_db()
        if found.reversed_at is not None:
            return found
        paid = Settlement.objects.select_related("job", "vendor", "assignment__batch").get(pk=found.settlement_id)
        found.reversed_at = database_now()
        found.save(update_fields=["reversed_at"])
        platform, owed = Account(Kind.PLATFORM_FEE, paid.currency), _owed_by(paid.vendor, paid.currency)
        key = f"clawback/{found.pk}/reversed"
        ledger.post([Posting(key, platform, owed, found.vendor_micro, "Taken back wrongly", found.public_id)])
        _settle(paid.vendor, paid.currency)
        _tell(actor, found, paid, "given_back", why=reason)
        return found


def recover_due() -> int:
    """Take what vendors owe from what they have earned since, each in a transaction of its own; return how many."""
    owing = LedgerAccount.objects.filter(kind=Kind.CLAWBACK).exclude(balance=0).values_list("owner", "currency")
    n_moved = 0
    for vendor_id, currency in list(owing.order_by("pk")):
        with transaction.atomic(durable=True):
            n_moved += _settle(Vendor.objects.get(pk=str(vendor_id)), currency)
    return n_moved


def _settle(vendor: Vendor, currency: str) -> bool:
    """Set what a vendor owes against what it is owed, with both accounts locked; return whether something moved."""
    owed, payable = _owed_by(vendor, currency), payable_to(vendor.pk, vendor.organization_id, currency)
    rows = {row.pk: row.balance for row in locks.rows(LedgerAccount.objects.filter(pk__in=[owed.id, payable.id]))}
    debt = -rows.get(owed.id, 0)
    amount = min(debt, rows.get(payable.id, 0)) if debt > 0 else -debt
    if amount <= 0:
        return False
    debit, credit = (payable, owed) if debt > 0 else (owed, payable)
    # Both rows are locked and what moves follows from their balances: a retry finds nothing left to move.
    ledger.post([Posting(f"recover/{uuid7()}", debit, credit, amount, "Taken back set against earnings")])
    return True


def _owed_by(vendor: Vendor, currency: str) -> Account:
    return Account(Kind.CLAWBACK, currency, vendor.pk, vendor.organization_id)


def _standing(paid: Settlement) -> int:
    """Return how many labels are taken back already; those given back count, as the customer keeps their money."""
    return int(paid.clawbacks.aggregate(n=Sum("n_labels"))["n"] or 0)


def _postings(row: Clawback, paid: Settlement) -> list[Posting]:
    wallet = wallet_of(paid.job.organization_id, paid.currency)
    sources = [
        ("labels", _owed_by(paid.vendor, paid.currency), row.vendor_micro, "Labels taken back"),
        ("fee", Account(Kind.PLATFORM_FEE, paid.currency), row.fee_micro, "Fee of labels taken back"),
    ]
    return [
        Posting(f"clawback/{row.pk}/{name}", source, wallet, amount, memo, paid.job.public_id)
        for name, source, amount, memo in sources
        if amount
    ]


def _tell(actor: Actor, row: Clawback, paid: Settlement, what: str, why: str = "") -> None:
    facts = {"n_labels": row.n_labels, "vendor_micro": row.vendor_micro, "reason": why or row.reason}
    events.of_batch(paid.assignment.batch, f"pay.{what}", vendor_id=paid.vendor_id, subject=row.pk, **facts)
    audit.record(actor=actor, action=f"pay.{what}", target=row, **facts)
    said = {"job": paid.job.title, "n": row.n_labels, "why": facts["reason"]}
    about = [{"subject": str(row.pk), "facts": said}]
    outbox.put("vendor.notice", {"vendor": str(paid.vendor_id), "kind": f"pay.{what}", "about": about})


def _staff(actor: Actor) -> None:
    actor.require("clawbacks:write")
    if not actor.is_staff:
        raise PermissionDeniedError("Only the platform's staff takes pay back.")
