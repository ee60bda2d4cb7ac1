"""Statements as their organization, and the platform's staff, see them."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import QuerySet

from common.actors import PLATFORM, Actor
from common.errors import NotFoundError, PermissionDeniedError
from common.money import exact
from common.tables import csv_row
from marketplace.models import BillingProfile, Statement

_HEAD: Final = ("date_from", "date_to", "description", "for", "entries", "amount", "currency")


def of(actor: Actor) -> QuerySet[Statement]:
    """Return the statements of the actor's organization, newest first; of all, for staff."""
    rows = Statement.objects.order_by("-id")
    if actor.organization_kind == PLATFORM:
        return rows
    if actor.organization_id is None:
        raise PermissionDeniedError("This needs an organization.")
    return rows.filter(organization_id=actor.organization_id)


def get(actor: Actor, statement_id: uuid.UUID) -> Statement:
    """Return one statement.

    Raises
    ------
    NotFoundError
        When the actor sees no such statement.
    """
    found = of(actor).filter(pk=statement_id).first()
    if found is None:
        raise NotFoundError("There is no such statement.")
    return found


def profile(actor: Actor) -> BillingProfile:
    """Return who the actor's organization is on paper.

    Raises
    ------
    NotFoundError
        When it has not said so yet.
    """
    mine = actor.organization_id
    found = BillingProfile.objects.filter(organization_id=mine).first() if mine is not None else None
    if found is None:
        raise NotFoundError("There is no billing profile yet; put one.")
    return found


def as_csv(statement: Statement) -> str:
    """Return a statement as CSV: opening balance, its lines, closing balance; exact to the micro-unit."""
    start, end = statement.period_start.isoformat(), statement.period_end.isoformat()
    opening, closing = exact(statement.opening_micro), exact(statement.closing_micro)
    rows: list[Sequence[Any]] = [_HEAD, (start, start, "Opening balance", "", "", opening, statement.currency)]
    for line in statement.lines:
        told = (line["memo"], line["for"], line["n_entries"], exact(line["amount_micro"]))
        rows.append((start, end, *told, statement.currency))
    rows.append((end, end, "Closing balance", "", "", closing, statement.currency))
    return "".join(csv_row(row) for row in rows)
