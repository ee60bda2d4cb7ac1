"""A vendor's side of the market: its own offers and assignments, nothing else."""

import uuid

from django.db.models import Count, Prefetch, Q, QuerySet

from common.actors import VENDOR, Actor
from common.errors import NotFoundError
from marketplace.core.states import LOST_WAVE, OfferState
from marketplace.models import Assignment, BatchItem, Notice, Offer


def offers(actor: Actor) -> QuerySet[Offer]:
    """Return the offers made to the actor's vendor (staff: all), newest first, with what a vendor decides by."""
    rows = Offer.objects.select_related("job__label_schema", "batch", "vendor").order_by("-id")
    if actor.is_staff:
        return rows
    if actor.organization_kind == VENDOR and actor.organization_id is not None:
        return rows.filter(vendor__organization_id=actor.organization_id)
    return rows.none()


def assignments(actor: Actor) -> QuerySet[Assignment]:
    """Return the work of the actor's vendor (staff: all), newest first, with how many items are done."""
    rows = (
        Assignment.objects.select_related("job__label_schema", "batch", "vendor")
        .annotate(n_done=Count("items", filter=Q(items__is_done=True)))
        .order_by("-id")
    )
    if actor.is_staff:
        return rows
    if actor.organization_kind == VENDOR and actor.organization_id is not None:
        return rows.filter(vendor__organization_id=actor.organization_id)
    return rows.none()


def assignment(actor: Actor, assignment_id: uuid.UUID) -> Assignment:
    """Return an assignment with its items in order (four queries), or raise NotFoundError."""
    items = BatchItem.objects.select_related("record", "gold").order_by("position")
    row = assignments(actor).prefetch_related(Prefetch("items", queryset=items)).filter(pk=assignment_id).first()
    if row is None:
        raise NotFoundError("There is no such assignment.")
    return row


def missed(actor: Actor) -> QuerySet[Offer]:
    """Return the offers the actor was too late for, or lost to a faster vendor, newest first."""
    return offers(actor).filter(Q(state=OfferState.EXPIRED) | Q(reason=LOST_WAVE)).select_related("interest")


def notices(actor: Actor) -> QuerySet[Notice]:
    """Return what the actor's vendor was told (staff: what anybody was), newest first."""
    rows = Notice.objects.order_by("-id")
    if actor.is_staff:
        return rows
    if actor.organization_kind == VENDOR and actor.organization_id is not None:
        return rows.filter(vendor__organization_id=actor.organization_id)
    return rows.none()
