"""What a customer may spend before it has paid: within its invoice terms, and not while an invoice is overdue."""

from common import ledger, money
from common.ledger import Account, InsufficientFundsError
from marketplace.errors import InvoiceOverdueError
from marketplace.models import InvoiceTerms
from marketplace.selectors import credit


def check(wallet: Account) -> None:
    """Refuse what was just taken from a wallet, in the same transaction, when it is not the customer's to spend.

    Call it after the posting: the wallet is locked then, so that what is read here cannot change.

    Raises
    ------
    InsufficientFundsError
        When the wallet is below zero without terms, or further than they go.
    InvoiceOverdueError
        When it is below zero while an invoice is overdue.
    """
    balance = ledger.balance(wallet)
    if balance >= 0:
        return
    terms = InvoiceTerms.objects.filter(organization=wallet.owner, currency=wallet.currency, revoked_at=None).first()
    limit = terms.limit_micro if terms else 0
    if balance < -limit:
        short = money.text(-limit - balance, wallet.currency)
        detail = f"{short} more than the wallet holds is needed" + (", its credit limit included." if limit else ".")
        raise InsufficientFundsError(detail, short_micro=-limit - balance, currency=wallet.currency)
    overdue = credit.overdue().filter(organization=wallet.owner, currency=wallet.currency).order_by("pk").first()
    if overdue is not None:
        detail = f"{overdue.title} of {money.text(overdue.due_micro, wallet.currency)} was due on {overdue.due_on}."
        raise InvoiceOverdueError(f"{detail} Pay it into the wallet, then try again.", invoice=overdue.title)


def refuse_borrowing(wallet: Account) -> None:
    """Refuse what was just taken from a wallet when it is lent: credit buys labels and is never paid out.

    Raises
    ------
    InsufficientFundsError
        When the wallet is below zero.
    """
    balance = ledger.balance(wallet)
    if balance < 0:
        raise InsufficientFundsError(f"The wallet is {money.text(-balance, wallet.currency)} short of that.")
