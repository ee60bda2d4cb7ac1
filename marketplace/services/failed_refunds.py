"""A refund that was sent and did not arrive: the money is back at the provider, and so in the wallet."""

import logging

from django.db import transaction

from common import ledger, money, payments
from common.ledger import Posting
from common.models import MoneyOp
from marketplace.services.holds import wallet_of
from marketplace.services.wallets import provider

logger = logging.getLogger(__name__)


def refresh(refund_id: str) -> bool:
    """Book a refund of ours that failed after it was sent; return whether it was new. Safe to run twice."""
    op = MoneyOp.objects.filter(provider_id=refund_id, kind=MoneyOp.Kind.REFUND, state=MoneyOp.State.DONE).first()
    if op is None or payments.refund_by_id(refund_id).status != "failed":
        return False
    amount = money.to_micro(op.amount_minor, op.currency)
    wallet = wallet_of(op.organization_id, op.currency)
    with transaction.atomic(durable=True):
        key = f"{op.kind}/{op.pk}/returned"
        is_new = ledger.post([Posting(key, provider(op.currency), wallet, amount, "Refund returned", op.public_id)]) > 0
    if is_new:
        logger.error("refund %s did not arrive: its money is back in the wallet", op.public_id)
    return is_new
