"""Experiments, rounds and picks as their owner may see them."""

import uuid

from django.db.models import Count, QuerySet

from common import locks
from common.actors import CUSTOMER, Actor
from common.errors import NotFoundError
from curation.models import Experiment, Pick, Round


def for_actor(actor: Actor) -> QuerySet[Experiment]:
    """Return the experiments an actor may see: staff all, a customer its own."""
    rows = Experiment.objects.select_related("dataset")
    if actor.is_staff:
        return rows
    if actor.organization_kind == CUSTOMER and actor.organization_id is not None:
        return rows.filter(organization_id=actor.organization_id)
    return rows.none()


def get(actor: Actor, experiment_id: uuid.UUID, *, lock: bool = False) -> Experiment:
    """Return an experiment of the actor, locked if asked for, or raise NotFoundError."""
    found = for_actor(actor).filter(pk=experiment_id)
    row = locks.row(found) if lock else found.first()
    if row is None:
        raise NotFoundError("There is no such experiment.")
    return row


def rounds(actor: Actor, experiment_id: uuid.UUID) -> QuerySet[Round]:
    """Return an experiment's rounds in order, each with the number of its picks."""
    return rounds_of(get(actor, experiment_id))


def rounds_of(experiment: Experiment) -> QuerySet[Round]:
    """Return the rounds of an experiment at hand, as :func:`rounds` does."""
    return Round.objects.filter(experiment=experiment).annotate(n_picks=Count("picks")).order_by("number")


def picks(actor: Actor, experiment_id: uuid.UUID, number: int) -> QuerySet[Pick]:
    """Return the picks of a round, best first."""
    return Pick.objects.filter(experiment=get(actor, experiment_id), round__number=number).order_by("rank")
