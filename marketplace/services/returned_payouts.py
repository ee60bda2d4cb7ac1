"""Money sent to a vendor that comes back, or does not arrive: it is owed again, and somebody is told."""

import logging
import uuid

from django.db import transaction

from common import audit, ids, ledger, money, payments
from common.actors import Actor
from common.ledger import Posting
from common.models import MoneyOp
from common.payment_types import BusyError
from marketplace.services.holds import payable_to
from marketplace.services.payouts import refresh_account
from marketplace.services.wallets import provider

logger = logging.getLogger(__name__)


def refresh(transfer_id: str) -> int:
    """Book what was taken back of a transfer and is not booked yet; return how many reversals. Safe to run twice.

    The vendor is owed it again, and the next daily payout sends it.

    Raises
    ------
    BusyError
        When the payout itself is not booked yet: events may come in any order, so this one is tried again.
    """
    reference, reversals = payments.reversals_of(transfer_id)
    op = _payout(reference)
    if op is None:
        return 0
    if op.state != MoneyOp.State.DONE:
        raise BusyError(f"{op.public_id} is {op.state}; its reversal is booked after it.")
    booked = 0
    for moved in reversals:
        payable = payable_to(uuid.UUID(op.facts["vendor"]), op.organization_id, op.currency)
        amount = money.to_micro(moved.amount, op.currency)
        key = f"reversal/{moved.id}"
        with transaction.atomic(durable=True):
            posting = Posting(key, provider(op.currency), payable, amount, "Transfer taken back", moved.id)
            if ledger.post([posting]):
                audit.record(actor=Actor.system(), action="payout.reversed", target=op, amount_minor=moved.amount)
                logger.error("transfer of %s was reversed: %s %s", op.public_id, moved.amount, op.currency)
                booked += 1
    return booked


def bank_refused(account_id: str) -> None:
    """Note that a vendor's bank did not take a payout: the money waits in its account there, none of it in our books.

    What the account lacks now stands among the vendor's requirements, and no transfer follows until it is mended.
    """
    account = refresh_account(account_id)
    if account is not None:
        logger.error("the bank of payout account %s refused a payout", account.public_id)


def _payout(reference: str) -> MoneyOp | None:
    try:
        op_id = ids.from_public(MoneyOp.public_prefix, reference)
    except ValueError:
        return None
    return MoneyOp.objects.filter(pk=op_id, kind=MoneyOp.Kind.PAYOUT).first()
