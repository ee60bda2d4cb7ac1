"""Jobs and what belongs to them, as their owner may see them."""

import uuid

from django.db.models import QuerySet

from common.actors import CUSTOMER, Actor
from common.errors import NotFoundError
from marketplace.models import Batch, Campaign, Job, JobRecord, LabelSchema, Notice, Offer, Review, RoutingEvent


def for_actor(actor: Actor) -> QuerySet[Job]:
    """Return the jobs an actor may see: staff all, a customer its own."""
    rows = Job.objects.select_related("label_schema")
    if actor.is_staff:
        return rows
    if actor.organization_kind == CUSTOMER and actor.organization_id is not None:
        return rows.filter(organization_id=actor.organization_id)
    return rows.none()


def get(actor: Actor, job_id: uuid.UUID, *, lock: bool = False) -> Job:
    """Return a job of the actor; with ``lock``, hold its row until the transaction ends.

    Raises
    ------
    NotFoundError
        When there is none, or it is not the actor's.
    """
    rows = for_actor(actor)
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    job = rows.filter(pk=job_id).first()
    if job is None:
        raise NotFoundError("There is no such job.")
    return job


def schemas(actor: Actor) -> QuerySet[LabelSchema]:
    """Return the actor's label schemas."""
    return LabelSchema.objects.filter(organization_id=actor.organization_id or uuid.UUID(int=0))


def labels(actor: Actor, job_id: uuid.UUID) -> QuerySet[JobRecord]:
    """Return a job's records with what is known of their labels, in the order they were ordered."""
    return JobRecord.objects.filter(job=get(actor, job_id)).select_related("job__label_schema", "lot").order_by("id")


def batches(actor: Actor) -> QuerySet[Batch]:
    """Return the batches of the actor's jobs."""
    return Batch.objects.filter(job__in=for_actor(actor)).select_related("lot", "job")


def batch(actor: Actor, batch_id: uuid.UUID) -> Batch:
    """Return a batch of the actor's jobs, or raise NotFoundError."""
    row = batches(actor).filter(pk=batch_id).first()
    if row is None:
        raise NotFoundError("There is no such batch.")
    return row


def offer_chain(actor: Actor, batch_id: uuid.UUID) -> QuerySet[Offer]:
    """Return a batch's offers in the order they were made, with vendor and place in the ranking."""
    row = batch(actor, batch_id)
    return Offer.objects.filter(batch=row).select_related("vendor", "candidate", "assignment").order_by("id")


def notices(actor: Actor) -> QuerySet[Notice]:
    """Return what the customer was told of its campaigns (staff: what all customers were), newest first."""
    rows = Notice.objects.filter(customer__isnull=False).order_by("-id")
    if actor.is_staff:
        return rows
    if actor.organization_kind == CUSTOMER and actor.organization_id is not None:
        return rows.filter(customer_id=actor.organization_id)
    return rows.none()


def feed(actor: Actor, job_id: uuid.UUID, *, after: int = 0) -> QuerySet[RoutingEvent]:
    """Return a job's events after a given event number, oldest first."""
    return RoutingEvent.objects.filter(job=get(actor, job_id), pk__gt=after).select_related("vendor").order_by("pk")


def campaigns(actor: Actor) -> QuerySet[Campaign]:
    """Return the actor's campaigns."""
    return Campaign.objects.filter(job__in=for_actor(actor)).select_related("job", "lot")


def reviews(actor: Actor, job_id: uuid.UUID) -> QuerySet[Review]:
    """Return what was drawn for review of a job, newest first."""
    rows = Review.objects.filter(job=get(actor, job_id))
    return rows.select_related("record__job__label_schema").order_by("-id")


def review(actor: Actor, review_id: uuid.UUID) -> Review:
    """Return a review of the actor's jobs, or raise NotFoundError."""
    rows = Review.objects.filter(job__in=for_actor(actor)).select_related("record__job__label_schema")
    row = rows.filter(pk=review_id).first()
    if row is None:
        raise NotFoundError("There is no such review.")
    return row
