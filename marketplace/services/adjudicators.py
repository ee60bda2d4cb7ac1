"""Disputed answers handed to another vendor to be labeled anew: blind, and by nobody who has a stake in them."""

import uuid

from django.db import transaction
from django.db.models import Q

from common import audit, outbox
from common.actors import Actor
from common.clock import Now
from common.errors import NotFoundError, PermissionDeniedError, ValidationFailedError
from marketplace.errors import AlreadyDecidedError, NoAdjudicatorError
from marketplace.models import Adjudication, Annotation, Settlement
from marketplace.services import events, restrictions
from vendors.selectors import candidates
from vendors.selectors.candidates import VendorFacts


def hand_out(*, actor: Actor, adjudication_id: uuid.UUID, vendor_id: uuid.UUID | None = None) -> Adjudication:
    """Hand a disputed answer to a vendor, the named one or the most accurate that may; staff may still decide it.

    Handed again to the same vendor (or to nobody in particular while somebody has it), it is returned as it is; to
    another, that one has it from now on. The vendor is told. For deciding it, it gets what it asks for a label of this
    kind, or, with no price in the job's currency, what the disputed answer was priced at. Locks the adjudication.

    Raises
    ------
    AlreadyDecidedError
        When it is decided.
    ValidationFailedError
        When the named vendor disputes it, answered the record, or cannot do this kind of work now.
    NoAdjudicatorError
        When nobody may.
    """
    actor.require("disputes:decide")
    if not actor.is_staff:
        raise PermissionDeniedError
    with transaction.atomic(durable=True):
        rows = Adjudication.objects.select_for_update(of=("self",), no_key=True).filter(pk=adjudication_id)
        row = rows.select_related("annotation__job__label_schema", "dispute__assignment__batch").first()
        if row is None:
            raise NotFoundError("There is nothing to decide under this id.")
        if row.decided_at is not None:
            raise AlreadyDecidedError
        if row.vendor_id is not None and vendor_id in {None, row.vendor_id}:
            return row
        facts = _named(row, vendor_id) if vendor_id is not None else _best(row)
        chosen, fee = (
            facts.vendor_id,
            {"fee_micro": _fee_micro(row, facts), "fee_currency": row.annotation.job.currency},
        )
        Adjudication.objects.filter(pk=row.pk).update(vendor_id=chosen, handed_at=Now(), **fee)
        row.refresh_from_db(fields=["vendor_id", "handed_at", *fee])
        audit.record(actor=actor, action="adjudication.handed", target=row, vendor=str(chosen), **fee)
        batch = row.dispute.assignment.batch
        events.of_batch(batch, "dispute.handed", vendor_id=row.dispute.vendor_id, subject=row.dispute_id)
        about = [{"subject": str(row.pk), "facts": {"job": row.annotation.job.title}}]
        outbox.put("vendor.notice", {"vendor": str(chosen), "kind": "adjudication.handed", "about": about})
        return row


def _facts(row: Adjudication) -> list[VendorFacts]:
    job = row.annotation.job
    return candidates.of_kind(
        task_type=job.label_schema.task_type,
        modality=job.modality,
        language=job.language,
        domain=job.domain,
        data_class=job.data_class,
        customer_id=job.organization_id,
    )


def _with_a_stake(row: Adjudication) -> set[uuid.UUID]:
    """Return the vendors that may not judge: who disputes it, who answered the record, whom the job keeps out."""
    answer = row.annotation
    same = Q(record=answer.record_id) if answer.record_id is not None else Q(gold=answer.gold_id)
    answered = set(Annotation.objects.filter(same).values_list("vendor", flat=True))
    kept_out = set(answer.job.denied_vendors) | set(restrictions.paused_vendors(answer.job))
    return answered | kept_out | {row.dispute.vendor_id}


def _named(row: Adjudication, vendor_id: uuid.UUID) -> VendorFacts:
    if vendor_id in _with_a_stake(row):
        detail = (
            "This vendor disputes the answer, gave one on the same record, or is kept out of the job: name another."
        )
        raise ValidationFailedError.of("vendor", "has_a_stake", detail)
    facts = next((one for one in _facts(row) if one.vendor_id == vendor_id), None)
    if facts is None:
        raise ValidationFailedError.of("vendor", "unknown_vendor", "This vendor does not do this kind of work.")
    if facts.exclusion is not None:
        raise ValidationFailedError.of("vendor", "not_eligible", f"This vendor cannot be asked: {facts.exclusion}")
    return facts


def _best(row: Adjudication) -> VendorFacts:
    """Return the vendor whose accuracy is surest; the first registered of equals."""
    barred = _with_a_stake(row)
    able = [one for one in _facts(row) if one.exclusion is None and one.vendor_id not in barred]
    if not able:
        raise NoAdjudicatorError
    return max(able, key=lambda one: (round(one.accuracy.lower(), 9), -one.vendor_id.int))


def _fee_micro(row: Adjudication, facts: VendorFacts) -> int:
    """Return what deciding it earns, micro-units of the job's currency; 0 where the job itself costs nothing."""
    job = row.annotation.job
    if not job.is_billed:
        return 0
    if facts.price_micro is not None and facts.currency == job.currency:
        return facts.price_micro
    paid = Settlement.objects.filter(assignment_id=row.dispute.assignment_id).first()
    return paid.price_micro if paid else 0
