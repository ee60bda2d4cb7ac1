"""Disputes and corrections as an actor may see them; what is to be adjudicated, without whose it is."""

import random
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from common.actors import CUSTOMER, VENDOR, Actor
from common.errors import NotFoundError
from marketplace.models import Adjudication, Annotation, Correction, Dispute, SettlementAdjustment
from marketplace.selectors import jobs


def for_actor(actor: Actor) -> QuerySet[Dispute]:
    """Return disputes, newest first: a vendor's own, those about a customer's jobs, for staff all."""
    rows = Dispute.objects.select_related("job", "assignment", "vendor").order_by("-id")
    rows = rows.annotate(
        n_answers=Count("adjudications"), n_upheld=Count("adjudications", filter=Q(adjudications__is_upheld=True))
    )
    if actor.is_staff:
        return rows
    if actor.organization_kind == CUSTOMER:
        return rows.filter(job__in=jobs.for_actor(actor))
    if actor.organization_kind == VENDOR and actor.organization_id is not None:
        return rows.filter(vendor__organization_id=actor.organization_id)
    return rows.none()


def get(actor: Actor, dispute_id: uuid.UUID) -> Dispute:
    """Return a dispute with what was found of each answer, or raise NotFoundError."""
    row = for_actor(actor).prefetch_related("adjudications").filter(pk=dispute_id).first()
    if row is None:
        raise NotFoundError("There is no such dispute.")
    return row


def to_decide(actor: Actor) -> QuerySet[Adjudication]:
    """Return what is to be labeled anew, oldest first: for staff all, for a vendor what was handed to it."""
    rows = Adjudication.objects.select_related(
        "annotation__record", "annotation__gold", "annotation__instruction", "annotation__job__label_schema"
    )
    return _mine(actor, rows).filter(decided_at=None).order_by("id")


def exists(actor: Actor, adjudication_id: uuid.UUID) -> bool:
    """Return whether there is such an adjudication, decided or not, for the actor."""
    return _mine(actor, Adjudication.objects.filter(pk=adjudication_id)).exists()


def _mine(actor: Actor, rows: QuerySet[Adjudication]) -> QuerySet[Adjudication]:
    if actor.is_staff:
        return rows
    if actor.organization_kind == VENDOR and actor.organization_id is not None:
        return rows.filter(vendor__organization_id=actor.organization_id)
    return rows.none()


@dataclass(frozen=True, slots=True)
class Blind:
    """What an adjudicator sees: the record, the instructions, and the different answers in an order without meaning."""

    pk: uuid.UUID
    key: str
    uri: str
    metadata: dict[str, Any]
    task_type: str
    classes: list[str]
    instructions: str
    candidates: list[Any]
    vendor_id: uuid.UUID | None
    fee_micro: int
    fee_currency: str


def blind(rows: list[Adjudication]) -> list[Blind]:
    """Return adjudications as an adjudicator may see them, in two queries besides.

    The different answers there are on each record, gold or decided labels among them, are shuffled by the id of the
    adjudication. Neither how many gave them nor who, nor which one is disputed, can be seen.
    """
    tasks = [row.annotation.record_id or row.annotation.gold_id for row in rows]
    given = Annotation.objects.filter(Q(record__in=tasks) | Q(gold__in=tasks)).order_by("pk")
    said: dict[uuid.UUID, list[tuple[int, Any]]] = {}
    for record_id, gold_id, label, value in given.values_list("record_id", "gold_id", "label", "value"):
        said.setdefault(record_id or gold_id, []).append((label, value))
    return [_blind(row, said) for row in rows]


def _blind(row: Adjudication, said: dict[uuid.UUID, list[tuple[int, Any]]]) -> Blind:
    answer = row.annotation
    about = answer.record or answer.gold
    if about is None:
        raise LookupError(f"annotation {answer.pk} is of nothing")
    schema = answer.job.label_schema
    known = [] if about.label is None else [(about.label, about.value)]
    distinct: list[Any] = []
    for label, value in [*said.get(about.pk, []), *known]:
        shown = None if label < 0 else schema.shown(label, value, about.metadata)
        if shown not in distinct:
            distinct.append(shown)
    distinct.sort(key=str)
    random.Random(str(row.pk)).shuffle(distinct)  # noqa: S311 (an order, not a secret)
    instructions = answer.instruction.text
    kind = (schema.task_type, schema.classes)
    shown = (row.pk, about.key, about.uri, about.metadata, *kind, instructions, distinct)
    return Blind(*shown, row.vendor_id, row.fee_micro, row.fee_currency)


def corrections(actor: Actor, job_id: uuid.UUID) -> QuerySet[Correction]:
    """Return a job's corrections, newest first."""
    rows = Correction.objects.filter(job=jobs.get(actor, job_id))
    return rows.select_related("record", "gold", "job__label_schema").order_by("-id")


def paid_later(actor: Actor) -> QuerySet[SettlementAdjustment]:
    """Return what corrections and disputes added to a vendor's pay, newest first (staff: all vendors')."""
    rows = SettlementAdjustment.objects.select_related(
        "settlement__job__label_schema",
        "annotation__record",
        "annotation__gold",
        "correction__record",
        "correction__gold",
        "correction__job__label_schema",
        "adjudication",
    ).order_by("-id")
    if actor.is_staff:
        return rows
    if actor.organization_kind == VENDOR and actor.organization_id is not None:
        return rows.filter(settlement__vendor__organization_id=actor.organization_id)
    return rows.none()
