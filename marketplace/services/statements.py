"""Statements are issued: one a month for each organization and currency, once, with numbers that have no gaps."""

import datetime
import uuid
from typing import Any, Final

from django.db import transaction
from django.db.models import BigIntegerField, Case, CharField, Count, F, Q, QuerySet, Sum, UUIDField, Value, When
from django.db.models.functions import Coalesce

from common import audit, locks, money
from common.actors import CUSTOMER, VENDOR, Actor
from common.clock import database_now
from common.errors import PermissionDeniedError
from common.ids import to_public
from common.ledger import Kind
from common.models import LedgerEntry, Organization
from marketplace.core import statements as core
from marketplace.models import BillingProfile, InvoiceTerms, Statement, StatementNumber
from marketplace.selectors.money import OWN_KINDS

GRACE: Final = datetime.timedelta(hours=24)
"""Time after a month's end before it is closed: a transaction begun before it has long ended then."""
_MONTHS_BACK: Final = 12
_KIND_OF: Final = {CUSTOMER: Statement.Kind.INVOICE, VENDOR: Statement.Kind.STATEMENT}
_PROFILE: Final = ("legal_name", "address", "country", "tax_id", "tax_note")


def set_profile(
    *, actor: Actor, legal_name: str, address: str, country: str, tax_id: str = "", tax_note: str = ""
) -> BillingProfile:
    """Say who the actor's organization is on paper; statements issued before keep what they say. Safe to repeat."""
    actor.require("organization:write")
    if actor.organization_id is None:
        raise PermissionDeniedError("This needs an organization.")
    given = dict(zip(_PROFILE, (legal_name, address, country, tax_id, tax_note), strict=True))
    with transaction.atomic(durable=True):
        profile, _ = BillingProfile.objects.update_or_create(organization_id=actor.organization_id, defaults=given)
        audit.record(actor=actor, action="billing_profile.set", target=profile, country=country)
        return profile


def issue_due(*, today: datetime.date | None = None) -> int:
    """Issue the statements of the last twelve months that are missing; return how many.

    Safe to run twice and at once. ``today`` is the database's day (UTC) a day ago, unless given. A month in which
    nothing moved gets none.
    """
    day = today or (database_now() - GRACE).astimezone(datetime.UTC).date()
    periods = []
    for _ in range(_MONTHS_BACK):
        periods.append(core.month_before(day))
        day = periods[-1][0]
    return sum(_issue(*pair, period) for period in reversed(periods) for pair in _missing(period))


def _missing(period: tuple[datetime.date, datetime.date]) -> list[tuple[uuid.UUID, str]]:
    """Return organizations and currencies in which something moved and no statement says so."""
    start, end = map(_midnight, period)
    moved = LedgerEntry.objects.filter(created_at__gte=start, created_at__lt=end)
    found: set[tuple[uuid.UUID, str]] = set()
    for side in ("debit", "credit"):
        own = {f"{side}__kind__in": OWN_KINDS, f"{side}__organization__kind__in": list(_KIND_OF)}
        found.update(moved.filter(**own).values_list(f"{side}__organization_id", "currency").distinct())
    issued = Statement.objects.filter(period_start=period[0]).values_list("organization_id", "currency")
    return sorted(found.difference(issued), key=str)


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)


def _issue(organization_id: uuid.UUID, currency: str, period: tuple[datetime.date, datetime.date]) -> bool:
    organization = Organization.objects.get(pk=organization_id)
    kind = _KIND_OF[organization.kind]
    with transaction.atomic(durable=True):
        StatementNumber.objects.get_or_create(kind=kind)
        counter = locks.row(StatementNumber.objects.filter(kind=kind))
        rows = Statement.objects.filter(organization=organization, currency=currency, period_start=period[0])
        if counter is None or rows.exists():
            return False
        counter.last += 1
        counter.save(update_fields=["last"])
        opening = _balance(organization_id, currency, _midnight(period[0]))
        lines = _lines(organization_id, currency, period)
        closing = opening + sum(line["amount_micro"] for line in lines)
        due = core.due_micro(closing, money.micro_per_minor(currency)) if kind == Statement.Kind.INVOICE else 0
        made = Statement.objects.create(
            kind=kind,
            number=counter.last,
            organization=organization,
            currency=currency,
            period_start=period[0],
            period_end=period[1],
            opening_micro=opening,
            closing_micro=closing,
            turnover_micro=core.turnover_micro(lines),
            due_micro=due,
            due_on=_due_on(organization_id, currency) if due else None,
            party=_party(organization),
            lines=lines,
        )
        audit.record(actor=Actor.system(), action="statement.issued", target=made, number=made.title)
        return True


def _due_on(organization_id: uuid.UUID, currency: str) -> datetime.date:
    """Return when an invoice issued now is due: at once where no terms were ever given."""
    terms = InvoiceTerms.objects.filter(organization_id=organization_id, currency=currency)
    days = terms.values_list("days", flat=True).first() or 0
    return database_now().astimezone(datetime.UTC).date() + datetime.timedelta(days=days)


def _party(organization: Organization) -> dict[str, str]:
    profile = BillingProfile.objects.filter(organization=organization).values(*_PROFILE).first()
    return profile or {"legal_name": organization.name, "address": "", "country": "", "tax_id": "", "tax_note": ""}


def _own(side: str, organization_id: uuid.UUID) -> Q:
    return Q(**{f"{side}__organization_id": organization_id, f"{side}__kind__in": OWN_KINDS})


def _crossing(organization_id: uuid.UUID, currency: str) -> QuerySet[LedgerEntry]:
    """Return the entries that change what an organization has, ``signed`` as it changes; not those within it."""
    into, out_of = _own("credit", organization_id), _own("debit", organization_id)
    signed = Case(When(into, then=F("amount")), default=-F("amount"), output_field=BigIntegerField())
    return LedgerEntry.objects.filter((into & ~out_of) | (out_of & ~into), currency=currency).annotate(signed=signed)


def _balance(organization_id: uuid.UUID, currency: str, at: datetime.datetime) -> int:
    before = _crossing(organization_id, currency).filter(created_at__lt=at)
    return int(before.aggregate(total=Coalesce(Sum("signed"), 0))["total"])


def _lines(
    organization_id: uuid.UUID, currency: str, period: tuple[datetime.date, datetime.date]
) -> list[dict[str, Any]]:
    """Return the month's lines: by job where a job's hold was touched, by operation elsewhere."""
    start, end = map(_midnight, period)
    job = Case(
        When(debit__kind=Kind.HOLD, then=F("debit__owner")),
        When(credit__kind=Kind.HOLD, then=F("credit__owner")),
        output_field=UUIDField(),
    )
    of_job = Q(debit__kind=Kind.HOLD) | Q(credit__kind=Kind.HOLD)
    operation = Case(When(of_job, then=Value("")), default=F("group"), output_field=CharField())
    rows = (
        _crossing(organization_id, currency)
        .filter(created_at__gte=start, created_at__lt=end)
        .annotate(job=job, operation=operation)
        .values("memo", "job", "operation")
        .annotate(n_entries=Count("pk"), amount_micro=Sum("signed"))
        .order_by("job", "operation", "memo")
    )
    return [
        {
            "memo": row["memo"],
            "for": to_public("job", row["job"]) if row["job"] else row["operation"],
            "n_entries": row["n_entries"],
            "amount_micro": int(row["amount_micro"]),
        }
        for row in rows
    ]
