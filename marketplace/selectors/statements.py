"""Statements as their organization, and the platform's staff, see them."""

import uuid

from django.db.models import QuerySet

from common.actors import PLATFORM, Actor
from common.errors import NotFoundError, PermissionDeniedError
from marketplace.core import statements as core
from marketplace.models import BillingProfile, Statement


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
    """Return a statement as CSV."""
    return core.to_csv(
        statement.lines,
        period=(statement.period_start, statement.period_end),
        opening_micro=statement.opening_micro,
        closing_micro=statement.closing_micro,
        currency=statement.currency,
    )
