"""Organizations and keys, as their owner may see them."""

import uuid

from django.db.models import QuerySet

from common.actors import Actor
from common.errors import NotFoundError
from common.models import ApiKey, Organization

_NOBODY = uuid.UUID(int=0)


def organizations(actor: Actor) -> QuerySet[Organization]:
    """Return the actor's own organization as a queryset of one, or of none."""
    return Organization.objects.filter(pk=actor.organization_id or _NOBODY)


def organization(actor: Actor) -> Organization:
    """Return the actor's own organization, or raise NotFoundError."""
    row = organizations(actor).first()
    if row is None:
        raise NotFoundError("There is no such organization.")
    return row


def api_keys(actor: Actor) -> QuerySet[ApiKey]:
    """Return the keys of the actor's organization."""
    return ApiKey.objects.filter(organization_id=actor.organization_id or _NOBODY)
