"""A cardholder's bank takes a payment back: the money is gone at once, and comes back if the dispute is won."""

import logging

from django.db import transaction

from common import ledger, money, payments
from common.ledger import Account, Kind, Posting
from common.models import MoneyOp
from common.payment_types import BalanceChange
from marketplace.services.wallets import provider

logger = logging.getLogger(__name__)


def refresh(payment_id: str) -> int:
    """Book what disputes of a payment moved and is not booked yet; return how many lines. Safe to run twice.

    The customer's wallet is not touched: it may be spent, and who is right is not known yet. Staff decide.
    """
    if not MoneyOp.objects.filter(provider_id=payment_id, kind=MoneyOp.Kind.TOP_UP).exists():
        return 0
    booked = 0
    for change in payments.disputes_of(payment_id):
        parts = [(Kind.DISPUTES, change.amount, "Dispute"), (Kind.PROVIDER_FEES, -change.fee, "Dispute fee")]
        with transaction.atomic(durable=True):
            is_new = ledger.post([_posting(change, *part) for part in parts if part[1]]) > 0
        if is_new:
            logger.error("dispute %s moved %s %s", change.reference, change.amount - change.fee, change.currency)
        booked += is_new
    return booked


def _posting(change: BalanceChange, kind: str, minor: int, memo: str) -> Posting:
    other, at_provider = Account(kind, change.currency), provider(change.currency)
    debit, credit = (at_provider, other) if minor > 0 else (other, at_provider)
    amount = money.to_micro(abs(minor), change.currency)
    return Posting(f"dispute/{change.id}/{kind}", debit, credit, amount, memo, change.reference)
