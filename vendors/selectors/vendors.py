"""Vendors as their owner, staff or a customer may see them."""

import uuid

from django.db.models import Q, QuerySet

from common.actors import CUSTOMER, VENDOR, Actor
from common.errors import NotFoundError
from vendors.models import Vendor


def for_actor(actor: Actor) -> QuerySet[Vendor]:
    """Return the vendors an actor may see: staff all, a vendor itself, a customer the public and its own."""
    rows = Vendor.objects.select_related("organization")
    if actor.is_staff:
        return rows
    if actor.organization_id is None:
        return rows.none()
    if actor.organization_kind == VENDOR:
        return rows.filter(organization_id=actor.organization_id)
    if actor.organization_kind == CUSTOMER:
        return rows.filter(Q(private_to=None) | Q(private_to_id=actor.organization_id))
    return rows.none()


def own(actor: Actor) -> Vendor:
    """Return the actor's own vendor.

    Raises
    ------
    NotFoundError
        When the actor's organization has not registered as a vendor.
    """
    vendor = for_actor(actor).filter(organization_id=actor.organization_id or uuid.UUID(int=0)).first()
    if vendor is None:
        raise NotFoundError("Register as a vendor first.")
    return vendor
