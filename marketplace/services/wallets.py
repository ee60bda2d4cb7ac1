"""A customer's wallet: filled from a card or bank account, emptied back to where the money came from."""

import uuid

from django.db import transaction
from django.db.models import Sum

from common import audit, ledger, locks, money, money_ops, payments
from common.actors import CUSTOMER, Actor
from common.clock import Now
from common.errors import PermissionDeniedError, ValidationFailedError
from common.ledger import Account, Kind, Posting
from common.models import MoneyOp, Organization, PaymentCustomer, PaymentMethod
from common.payment_types import BusyError, Moved, RefusedError, UnknownOutcomeError
from marketplace.errors import PaymentProviderError, PaymentRefusedError
from marketplace.services import credit
from marketplace.services.holds import wallet_of

LEAST_MINOR, MOST_MINOR = 50, 99_999_999


def add_method(*, actor: Actor, token: str) -> PaymentMethod:
    """Keep a card or bank account for later top-ups; ``token`` comes from the provider's own form.

    Raises
    ------
    PaymentRefusedError, PaymentProviderError
        When the provider says no, or cannot be reached; nothing is kept then.
    """
    organization_id = _customer(actor)
    try:
        customer = _provider_customer(organization_id)
        key = uuid.uuid5(organization_id, token)
        method_id = payments.attach_method(customer=customer, token=token, key=f"method-{key}")
    except RefusedError as error:
        raise PaymentRefusedError(str(error), reason=error.code) from None
    except (BusyError, UnknownOutcomeError) as error:
        raise PaymentProviderError from error
    with transaction.atomic(durable=True):
        method, is_new = PaymentMethod.objects.get_or_create(
            provider_id=method_id, defaults={"organization_id": organization_id}
        )
        if is_new:
            audit.record(actor=actor, action="payment_method.added", target=method)
        return method


def _provider_customer(organization_id: uuid.UUID) -> str:
    known = PaymentCustomer.objects.filter(organization_id=organization_id).first()
    if known is not None:
        return known.provider_id
    name = Organization.objects.values_list("name", flat=True).get(pk=organization_id)
    # The key follows from the organization: whoever asks again, or at the same time, gets the same customer.
    made = payments.create_customer(name=name, op=str(organization_id), key=f"customer-{organization_id}")
    PaymentCustomer.objects.get_or_create(organization_id=organization_id, defaults={"provider_id": made})
    return made


def top_up(*, actor: Actor, amount_minor: int, currency: str, method_id: uuid.UUID | None = None) -> MoneyOp:
    """Plan a payment into the wallet; the money counts when the provider has it.

    Raises
    ------
    ValidationFailedError
        When the amount is out of range, or there is no such payment method.
    """
    facts = payer(actor, amount_minor, method_id)
    with transaction.atomic(durable=True):
        op = money_ops.plan(
            kind=MoneyOp.Kind.TOP_UP,
            organization_id=_customer(actor),
            amount_minor=amount_minor,
            currency=currency,
            facts=facts,
        )
        audit.record(actor=actor, action="top_up.planned", target=op, amount_minor=amount_minor, currency=currency)
        return op


def payer(actor: Actor, amount_minor: int, method_id: uuid.UUID | None) -> dict[str, str]:
    """Return whom the provider is to ask for an amount, and by which payment method: the newest unless one is named.

    Raises
    ------
    ValidationFailedError
        When the amount is out of range, or there is no such payment method.
    """
    organization_id = _customer(actor)
    if not LEAST_MINOR <= amount_minor <= MOST_MINOR:
        detail = f"Give {LEAST_MINOR} to {MOST_MINOR} minor units (cents); got {amount_minor}."
        raise ValidationFailedError.of("amount_minor", "out_of_range", detail)
    methods = PaymentMethod.objects.filter(organization_id=organization_id).order_by("-pk")
    method = (methods.filter(pk=method_id) if method_id else methods).first()
    if method is None:
        detail = "There is no such payment method." if method_id else "Add a payment method first."
        raise ValidationFailedError.of("payment_method", "unknown", detail)
    customer = PaymentCustomer.objects.get(organization_id=organization_id)
    return {"customer": customer.provider_id, "method": method.provider_id}


def refund(*, actor: Actor, top_up_id: uuid.UUID, amount_minor: int) -> MoneyOp:
    """Plan to give wallet money back to the card or account of one top-up; the money is set aside at once.

    Raises
    ------
    ValidationFailedError
        When the amount is more than what is left of the top-up.
    InsufficientFundsError
        When the wallet has less: money held by jobs comes back when they end.
    """
    organization_id = _customer(actor)
    with transaction.atomic(durable=True):
        source = locks.row(
            MoneyOp.objects.filter(pk=top_up_id, organization_id=organization_id, kind=MoneyOp.Kind.TOP_UP)
        )
        if source is None or source.state != MoneyOp.State.DONE:
            detail = "There is no such top-up, or it has not arrived yet."
            raise ValidationFailedError.of("top_up", "unknown", detail)
        given_back = MoneyOp.objects.filter(
            kind=MoneyOp.Kind.REFUND, facts__top_up=str(source.pk), organization_id=organization_id
        ).exclude(state=MoneyOp.State.FAILED)
        left = source.amount_minor - (given_back.aggregate(n=Sum("amount_minor"))["n"] or 0)
        if not 0 < amount_minor <= left:
            detail = f"Of this top-up {left} minor units can be given back, not {amount_minor}."
            raise ValidationFailedError.of("amount_minor", "out_of_range", detail)
        op = money_ops.plan(
            kind=MoneyOp.Kind.REFUND,
            organization_id=organization_id,
            amount_minor=amount_minor,
            currency=source.currency,
            facts={"top_up": str(source.pk), "payment": source.provider_id},
            reserve=lambda op: [_posting(op, "reserve", _wallet(op), on_its_way(op), "Refund set aside")],
        )
        credit.refuse_borrowing(_wallet(op))
        audit.record(actor=actor, action="refund.planned", target=op, amount_minor=amount_minor)
        return op


def on_its_way(op: MoneyOp) -> Account:
    """Return the account of an organization's money that is leaving through the provider."""
    return Account(Kind.IN_TRANSFER, op.currency, op.organization_id, op.organization_id)


def provider(currency: str) -> Account:
    """Return the account of what the provider keeps for us."""
    return Account(Kind.PROVIDER, currency)


def _wallet(op: MoneyOp) -> Account:
    return wallet_of(op.organization_id, op.currency)


def _posting(op: MoneyOp, step: str, debit: Account, credit: Account, memo: str) -> Posting:
    amount = money.to_micro(op.amount_minor, op.currency)
    return Posting(f"{op.kind}/{op.pk}/{step}", debit, credit, amount, memo, op.public_id)


def _arrived(op: MoneyOp, moved: Moved) -> list[Posting]:
    entries = [_posting(op, "arrived", provider(op.currency), _wallet(op), "Top-up")]
    if moved.fee:
        fees = Account(Kind.PROVIDER_FEES, op.currency)
        amount = money.to_micro(moved.fee, op.currency)
        key = f"{op.kind}/{op.pk}/fee"
        entries.append(Posting(key, fees, provider(op.currency), amount, "Payment fee", op.public_id))
    return entries


TOP_UP = money_ops.Flow(
    call=lambda op, key: payments.charge(
        customer=op.facts["customer"],
        method=op.facts["method"],
        amount=op.amount_minor,
        currency=op.currency,
        op=op.public_id,
        key=key,
    ),
    find=lambda op: payments.find_charge(customer=op.facts["customer"], op=op.public_id),
    look=lambda op: payments.payment(op.provider_id),
    booked=_arrived,
    undone=lambda op: [],
)
REFUND = money_ops.Flow(
    call=lambda op, key: payments.refund(
        payment_id=op.facts["payment"], amount=op.amount_minor, op=op.public_id, key=key
    ),
    find=lambda op: payments.find_refund(payment_id=op.facts["payment"], op=op.public_id),
    look=lambda op: payments.refund_by_id(op.provider_id),
    booked=lambda op, _: [_posting(op, "sent", on_its_way(op), provider(op.currency), "Refund")],
    undone=lambda op: [_posting(op, "back", on_its_way(op), _wallet(op), "Refund failed")],
)


def _customer(actor: Actor) -> uuid.UUID:
    actor.require("wallet:write")
    if actor.organization_kind != CUSTOMER or actor.organization_id is None:
        raise PermissionDeniedError("Only a customer organization has a wallet.")
    return actor.organization_id


def touch(*, op_id: uuid.UUID) -> None:
    """Have an operation looked at now, because the provider told something about it."""
    MoneyOp.objects.filter(pk=op_id, next_attempt_at__isnull=False).update(next_attempt_at=Now())


def balance_micro(organization_id: uuid.UUID, currency: str) -> int:
    """Return what a wallet has, free to be held by jobs."""
    return ledger.balance(wallet_of(organization_id, currency))
