"""Vendors are paid: an account at the provider, and one aggregated transfer a day of the whole cents they earned."""

import uuid
from typing import Final

from django.db import transaction

from common import audit, ledger, money, money_ops, payments
from common.actors import VENDOR, Actor
from common.errors import NotFoundError, PermissionDeniedError
from common.ledger import Account, InsufficientFundsError, Kind, Posting
from common.models import LedgerAccount, MoneyOp, PayoutAccount
from common.payment_types import BusyError, RefusedError, UnknownOutcomeError
from marketplace.errors import PaymentProviderError, PaymentRefusedError
from marketplace.services import clawbacks
from marketplace.services.holds import payable_to
from marketplace.services.wallets import on_its_way, provider
from vendors.models import Vendor
from vendors.selectors import vendors

LEAST_MINOR: Final = 100
"""Smallest payout: below, the transfer is not worth its cost; it waits for more."""


def open_account(*, actor: Actor, return_url: str) -> str:
    """Return the address of the provider's page where the vendor enters its bank account, good for minutes.

    Raises
    ------
    PaymentRefusedError, PaymentProviderError
        When the provider says no, or cannot be reached.
    """
    vendor = _own(actor)
    try:
        account = PayoutAccount.objects.filter(organization_id=vendor.organization_id).first()
        if account is None:
            key = f"account-{vendor.organization_id}"
            made = payments.create_account(name=vendor.name, op=str(vendor.organization_id), key=key)
            account, _ = PayoutAccount.objects.get_or_create(
                organization_id=vendor.organization_id,
                defaults={"provider_id": made.id, "is_ready": made.is_ready, "missing": list(made.missing)},
            )
        return payments.onboarding_link(account.provider_id, return_url=return_url)
    except RefusedError as error:
        raise PaymentRefusedError(str(error), reason=error.code) from None
    except (BusyError, UnknownOutcomeError) as error:
        raise PaymentProviderError from error


def account_of(*, actor: Actor) -> PayoutAccount:
    """Return where the actor's vendor is paid.

    Raises
    ------
    NotFoundError
        When no account was opened yet.
    """
    vendor = _own(actor)
    account = PayoutAccount.objects.filter(organization_id=vendor.organization_id).first()
    if account is None:
        raise NotFoundError("There is no payout account yet; open one.")
    return account


def refresh_account(provider_id: str) -> PayoutAccount | None:
    """Fetch how a vendor's account stands at the provider; None for an account that is not ours."""
    account = PayoutAccount.objects.filter(provider_id=provider_id).first()
    if account is not None:
        now = payments.account(provider_id)
        account.is_ready, account.missing = now.is_ready, list(now.missing)
        account.save(update_fields=["is_ready", "missing"])
    return account


def pay_out_due() -> int:
    """Plan a transfer for every vendor that is owed enough and has an account ready; return how many were planned.

    Run daily, and safe to run at any time: each plan sets its money aside in the same transaction. What a vendor owes
    is taken from what it is owed first.
    """
    clawbacks.recover_due()
    ready = PayoutAccount.objects.filter(is_ready=True).values("organization")
    owed = LedgerAccount.objects.filter(kind=Kind.PAYABLE, balance__gt=0, organization__in=ready)
    return sum(_plan(row) for row in owed.order_by("pk"))


def _plan(row: LedgerAccount) -> bool:
    least = money.to_micro(LEAST_MINOR, row.currency) if money.decimals(row.currency) else 0
    if row.balance < max(least, money.micro_per_minor(row.currency)) or row.owner is None or not row.organization_id:
        return False
    payable = payable_to(row.owner, row.organization_id, row.currency)
    account = PayoutAccount.objects.get(organization_id=row.organization_id)
    vendor = Vendor.objects.get(pk=row.owner)
    try:
        with transaction.atomic(durable=True):
            op = money_ops.plan(
                kind=MoneyOp.Kind.PAYOUT,
                organization_id=row.organization_id,
                amount_minor=money.whole_minor(row.balance, row.currency),
                currency=row.currency,
                facts={"account": account.provider_id, "vendor": str(row.owner)},
                reserve=lambda op: [_posting(op, "reserve", payable, on_its_way(op), "Payout set aside")],
            )
            audit.record(actor=Actor.system(), action="payout.planned", target=op, vendor=vendor.public_id)
    except InsufficientFundsError:
        return False  # another runner has planned the same money a moment ago
    return True


def _posting(op: MoneyOp, step: str, debit: Account, credit: Account, memo: str) -> Posting:
    amount = money.to_micro(op.amount_minor, op.currency)
    return Posting(f"{op.kind}/{op.pk}/{step}", debit, credit, amount, memo, op.public_id)


def _payable(op: MoneyOp) -> Account:
    return payable_to(uuid.UUID(op.facts["vendor"]), op.organization_id, op.currency)


PAYOUT = money_ops.Flow(
    call=lambda op, key: payments.transfer(
        account=op.facts["account"],
        amount=op.amount_minor,
        currency=op.currency,
        group=op.public_id,
        op=op.public_id,
        key=key,
    ),
    find=lambda op: payments.find_transfer(group=op.public_id, op=op.public_id),
    look=lambda op: payments.transfer_by_id(op.provider_id),
    booked=lambda op, _: [_posting(op, "sent", on_its_way(op), provider(op.currency), "Payout")],
    undone=lambda op: [_posting(op, "back", on_its_way(op), _payable(op), "Payout failed")],
)


def _own(actor: Actor) -> Vendor:
    actor.require("payouts:write")
    if actor.organization_kind != VENDOR:
        raise PermissionDeniedError("Only a vendor is paid out.")
    return vendors.own(actor)


def owed_micro(vendor: Vendor, currency: str) -> int:
    """Return what a vendor has earned and not been sent."""
    return ledger.balance(payable_to(vendor.pk, vendor.organization_id, currency))
