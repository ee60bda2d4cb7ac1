"""Wallets in tests: customers with a card, operations run to their end, both books compared."""

from common import ledger, money
from common.ledger import Account, Kind
from common.models import MoneyOp
from marketplace.services import money_flows, wallets
from tests import market


def customer(card="pm_card_visa"):
    """Return a customer with a payment method."""
    actor = market.customer()
    wallets.add_method(actor=actor, token=card)
    return actor


def run_all():
    """Do what is due, as often as it takes, as if time had passed."""
    for _ in range(60):
        due = list(MoneyOp.objects.filter(next_attempt_at__isnull=False).order_by("pk").values_list("pk", flat=True))
        if not due:
            return
        for op_id in due:
            money_flows.run_op(op_id=op_id)
    raise AssertionError(f"still open: {list(MoneyOp.objects.filter(next_attempt_at__isnull=False).values())}")


def top_up(actor, amount=5000):
    """Plan a top-up."""
    return wallets.top_up(actor=actor, amount_minor=amount, currency="USD")


def balance(actor):
    """Return what is free in a wallet."""
    return wallets.balance_micro(actor.organization_id, "USD")


def books_agree(provider):
    """Compare our books with the provider's."""
    theirs = provider.books.balances["", "usd"]
    assert -ledger.balance(Account(Kind.PROVIDER, "USD")) == money.to_micro(theirs, "USD")
    assert ledger.discrepancies() == []
    return theirs
