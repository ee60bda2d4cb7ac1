"""Datasets as their owner may see them."""

import uuid

from django.db.models import QuerySet

from common.actors import CUSTOMER, Actor
from common.errors import NotFoundError
from curation.models import Dataset


def for_actor(actor: Actor) -> QuerySet[Dataset]:
    """Return the datasets an actor may see: staff all, a customer its own."""
    if actor.is_staff:
        return Dataset.objects.all()
    if actor.organization_kind == CUSTOMER and actor.organization_id is not None:
        return Dataset.objects.filter(organization_id=actor.organization_id)
    return Dataset.objects.none()


def get(actor: Actor, dataset_id: uuid.UUID) -> Dataset:
    """Return a dataset of the actor, or raise NotFoundError."""
    row = for_actor(actor).filter(pk=dataset_id).first()
    if row is None:
        raise NotFoundError("There is no such dataset.")
    return row
