"""The books as staff see them: what stands where, whether it adds up, what the payment provider says otherwise."""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse

from common.actors import PLATFORM, Actor
from marketplace.selectors import money
from marketplace.selectors.money import Balance
from portal import pages


@pages.page("reconciliation:read", PLATFORM)
def books(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the ledger by kind and currency, the last comparison, and the differences still open, newest first."""
    balances = money.books(actor)
    return pages.show(
        request,
        "portal/ops/ledger.html",
        balances=balances,
        sums=sums(balances),
        run=money.reconciliation_runs(actor).first(),
        page=pages.rows_of(request, money.reconciliation_differences(actor, is_open=True)),
    )


def sums(balances: Iterable[Balance]) -> dict[str, int]:
    """Return what all kinds of each currency come to together, micro-units: 0 when the books add up.

    >>> sums([Balance("provider", "USD", -5), Balance("wallet", "USD", 5), Balance("wallet", "EUR", 1)])
    {'USD': 0, 'EUR': 1}
    """
    totals: dict[str, int] = {}
    for one in balances:
        totals[one.currency] = totals.get(one.currency, 0) + one.amount_micro
    return totals
