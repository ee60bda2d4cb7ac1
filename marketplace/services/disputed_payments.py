"""A cardholder's bank takes a payment back: the money is gone at once, whatever comes of it later."""

from django.db import transaction

from common import ledger, money, payments
from common.ledger import Account, Kind, Posting
from common.models import MoneyOp
from marketplace.services.wallets import provider


def refresh(payment_id: str) -> int:
    """Book the disputes of a payment that are not booked yet; return how many. Safe to run twice.

    The customer's wallet is not touched: it may be spent, and who is right is not known yet. Staff decide.
    """
    if not MoneyOp.objects.filter(provider_id=payment_id, kind=MoneyOp.Kind.TOP_UP).exists():
        return 0
    booked = 0
    for dispute in payments.disputes_of(payment_id):
        at_provider = provider(dispute.currency)
        parts = [(Kind.DISPUTES, dispute.amount, "Dispute"), (Kind.PROVIDER_FEES, dispute.fee, "Dispute fee")]
        entries = [
            Posting(
                f"dispute/{dispute.id}/{kind}",
                Account(kind, dispute.currency),
                at_provider,
                money.to_micro(amount, dispute.currency),
                memo,
                dispute.id,
            )
            for kind, amount, memo in parts
            if amount
        ]
        with transaction.atomic(durable=True):
            booked += ledger.post(entries) > 0
    return booked
