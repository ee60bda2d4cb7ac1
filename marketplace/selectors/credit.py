"""Invoice terms and what is owed under them."""

import datetime
from typing import Final

from django.db.models import BigIntegerField, CharField, DateTimeField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, LPad

from common.actors import PLATFORM, Actor
from common.clock import database_now
from common.errors import PermissionDeniedError
from common.ledger import Kind
from common.models import LedgerAccount, LedgerEntry
from marketplace.models import InvoiceTerms, Statement

_CASH: Final = (Kind.PROVIDER, Kind.IN_TRANSFER, Kind.DISPUTES)
"""Where a customer's own money comes from and goes to; all else is labels."""


def of(actor: Actor) -> QuerySet[InvoiceTerms]:
    """Return a customer's own terms, for staff all, newest first, with ``used_micro`` and the ``overdue`` invoice."""
    rows = InvoiceTerms.objects.order_by("-id")
    if actor.organization_kind != PLATFORM:
        if actor.organization_id is None:
            raise PermissionDeniedError("This needs an organization.")
        rows = rows.filter(organization_id=actor.organization_id)
    same = {"owner": OuterRef("organization_id"), "currency": OuterRef("currency"), "kind": Kind.WALLET}
    lent = LedgerAccount.objects.filter(**same, balance__lt=0).values("balance")
    late = overdue().filter(organization_id=OuterRef("organization_id"), currency=OuterRef("currency")).order_by("pk")
    number = LPad(Cast("number", CharField()), 6, Value("0"))
    return rows.select_related("organization").annotate(
        used_micro=-Coalesce(Subquery(lent, output_field=BigIntegerField()), 0),
        overdue=Subquery(late.annotate(digits=number).values("digits")[:1]),
    )


def overdue(*, today: datetime.date | None = None) -> QuerySet[Statement]:
    """Return invoices not paid by their date; ``paid_micro`` is what came in since their month ended.

    An invoice asks for the whole balance, older ones included, so what came in after its month counts for it.
    """
    day = today or database_now().astimezone(datetime.UTC).date()
    return _unpaid(Statement.objects.filter(due_micro__gt=0, due_on__lt=day))


def open_invoices(actor: Actor) -> QuerySet[Statement]:
    """Return the actor's newest invoice of each currency that is not paid yet."""
    mine = Statement.objects.filter(organization=actor.organization_id, kind=Statement.Kind.INVOICE)
    newest = mine.order_by("currency", "-period_end").distinct("currency").values("pk")
    return _unpaid(Statement.objects.filter(pk__in=newest, due_micro__gt=0)).order_by("currency")


def _unpaid(rows: QuerySet[Statement]) -> QuerySet[Statement]:
    since = Cast(OuterRef("period_end"), DateTimeField())
    into = _moved("credit", "debit", since)
    out_of = _moved("debit", "credit", since)
    paid = Coalesce(into, 0) - Coalesce(out_of, 0)
    return rows.alias(paid=paid).filter(paid__lt=F("due_micro")).annotate(paid_micro=paid)


def _moved(wallet: str, other: str, since: Cast) -> Subquery:
    own = {f"{wallet}__kind": Kind.WALLET, f"{wallet}__owner": OuterRef("organization_id")}
    cash = {f"{other}__kind__in": _CASH, "currency": OuterRef("currency"), "created_at__gte": since}
    entries = LedgerEntry.objects.filter(Q(**own), **cash).order_by().values("currency")
    return Subquery(entries.annotate(total=Sum("amount")).values("total"), output_field=BigIntegerField())
