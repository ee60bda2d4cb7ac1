"""Objections of vendors to decisions about them, answered by staff with a reason."""

import uuid
from typing import Final

from django.db import IntegrityError, transaction

from common.actors import Actor
from common.clock import database_now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError
from vendors.core import states
from vendors.models import Appeal, Vendor
from vendors.selectors import vendors
from vendors.services import onboarding, record, rule_actions

APPEALABLE: Final = ("vendor.suspended", "vendor.rejected", "rule.applied")
RULE: Final = "rule.applied"
_BACK_TO: Final = {states.SUSPENDED: states.PROBATION, states.REJECTED: states.SUBMITTED}


def file(*, actor: Actor, text: str) -> Appeal:
    """Object to the newest suspension, rejection or act of a rule; once for each decision.

    Raises
    ------
    ConflictError
        When there is no such decision, or it was objected to before.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = vendors.own(actor)
        decision = vendor.events.filter(kind__in=APPEALABLE).order_by("-pk").first()
        if decision is None or (decision.kind != RULE and vendor.state not in _BACK_TO):
            raise ConflictError("There is no suspension, rejection or act of a rule to object to.")
        try:
            with transaction.atomic():
                appeal = Appeal.objects.create(vendor=vendor, event=decision, text=text)
        except IntegrityError:
            raise ConflictError("You have objected to this decision before; staff will answer or have.") from None
        record.add(vendor, "appeal.filed", actor, text[:500], appeal=appeal.public_id)
        return appeal


def decide(*, actor: Actor, appeal_id: uuid.UUID, is_granted: bool, reason: str) -> Appeal:
    """Answer an objection; a granted one readmits on probation, or puts a rejected application back into review.

    Asked again for the same answer, nothing changes.

    Raises
    ------
    ConflictError
        When it was answered otherwise.
    """
    actor.require("vendors:review")
    if not actor.is_staff:
        raise PermissionDeniedError
    target = Appeal.State.GRANTED if is_granted else Appeal.State.DENIED
    with transaction.atomic(durable=True):
        found = Appeal.objects.filter(pk=appeal_id).first()
        if found is None:
            raise NotFoundError("There is no such appeal.")
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=found.vendor_id)
        appeal = Appeal.objects.get(pk=found.pk)
        if appeal.state == target:
            return appeal
        if appeal.state != Appeal.State.OPEN:
            raise ConflictError(f"This appeal was {appeal.state} before.")
        appeal.state, appeal.reason, appeal.decided_at = target, reason, database_now()
        appeal.save(update_fields=["state", "reason", "decided_at"])
        record.add(vendor, f"appeal.{target}", actor, reason, appeal=appeal.public_id)
        if is_granted and appeal.event.kind == RULE:
            rule_actions.end(action_id=uuid.UUID(appeal.event.facts["action"]), actor=actor, reason=reason)
        elif is_granted and vendor.state in _BACK_TO:
            onboarding.move(vendor, _BACK_TO[vendor.state], actor, reason)
        return appeal
