"""Invoices and statements: the list with the balances, one to print, one to calculate with."""

import uuid

from django.http import HttpRequest, HttpResponse

from common.actors import CUSTOMER, PLATFORM, VENDOR, Actor
from common.clock import database_now
from marketplace.selectors import credit, money
from marketplace.selectors import statements as selectors
from portal import pages


@pages.page("money:read", CUSTOMER, VENDOR)
def listing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show balances, the latest entries and all statements."""
    return pages.show(
        request,
        "portal/statements.html",
        balances=money.balances(actor),
        entries=money.entries(actor)[:20],
        page=pages.rows_of(request, selectors.of(actor)),
        terms=credit.of(actor).filter(revoked_at=None),
        due=credit.open_invoices(actor),
        today=database_now().date(),
    )


@pages.page("money:read", CUSTOMER, VENDOR, PLATFORM)
def detail(request: HttpRequest, actor: Actor, statement_id: uuid.UUID) -> HttpResponse:
    """Show one statement, to read or to print."""
    return pages.show(request, "portal/statement.html", statement=selectors.get(actor, statement_id))


@pages.page("money:read", CUSTOMER, VENDOR, PLATFORM)
def as_csv(request: HttpRequest, actor: Actor, statement_id: uuid.UUID) -> HttpResponse:
    """Return one statement as a file."""
    found = selectors.get(actor, statement_id)
    headers = {"Content-Disposition": f'attachment; filename="{found.title}.csv"'}
    return HttpResponse(selectors.as_csv(found), content_type="text/csv", headers=headers)
