"""A vendor's way into the market: register, declare, price, sign, submit, review."""

import datetime
import uuid
from typing import Any

from django.db import transaction
from django.db.models import F

from common.actors import VENDOR, Actor
from common.clock import Now, database_now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError, ValidationFailedError
from common.models import Organization
from vendors.core import evidence, states
from vendors.errors import RequirementsOpenError, VendorStateError
from vendors.models import Capability, CapacityWindow, Vendor
from vendors.selectors import standing, vendors
from vendors.services import documents, invitations, record
from vendors.services.terms import AgreementTerms, list_price, sign_agreement

__all__ = [
    "AgreementTerms",
    "count_batch",
    "declare_capability",
    "lift_suspensions",
    "list_price",
    "move",
    "register",
    "review",
    "sign_agreement",
    "submit",
]


def register(
    *, actor: Actor, name: str, languages: list[str], regions: list[str], invitation: str | None = None
) -> Vendor:
    """Register the actor's organization as a vendor, or return it when it already is.

    With an invitation's token it belongs to the customer that invited it, and nobody else sees it.

    Raises
    ------
    PermissionDeniedError
        When the organization is not of the vendor kind.
    """
    actor.require("vendor:write")
    if actor.organization_kind != VENDOR or actor.organization_id is None:
        raise PermissionDeniedError("Only a vendor organization can register as a vendor.")
    with transaction.atomic(durable=True):
        Organization.objects.select_for_update(no_key=True).get(pk=actor.organization_id)
        existing = Vendor.objects.filter(organization_id=actor.organization_id).first()
        if existing is not None:
            return existing
        vendor = Vendor.objects.create(
            organization_id=actor.organization_id, name=name, languages=languages, regions=regions
        )
        CapacityWindow.objects.create(vendor=vendor)
        if invitation is not None:
            invitations.use(invitation, vendor)
        record.add(vendor, "vendor.draft", actor, "Registered.", is_private=vendor.private_to_id is not None)
        return vendor


def declare_capability(
    *, actor: Actor, task_type: str, modality: str, language: str, domain: str, data_class: str = "public"
) -> Capability:
    """Declare a kind of work; asked again, the same one is returned. It is inactive until qualified.

    Raises
    ------
    ValidationFailedError
        When the class of data is unknown.
    """
    actor.require("vendor:write")
    if data_class not in evidence.DATA_CLASSES:
        detail = f"Say how sensitive the data is: one of {', '.join(evidence.DATA_CLASSES)}."
        raise ValidationFailedError.of("data_class", "unknown", detail)
    kind: dict[str, Any] = {"task_type": task_type, "modality": modality, "language": language, "domain": domain}
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        capability, is_new = Capability.objects.get_or_create(vendor=vendor, **kind, data_class=data_class)
        if is_new:
            documents.refresh(vendor)
            capability.refresh_from_db()
            record.add(vendor, "capability.declared", actor, capability=capability.public_id, work=capability.words)
        return capability


def submit(*, actor: Actor) -> Vendor:
    """Hand the application in for review.

    Raises
    ------
    RequirementsOpenError
        When a capability, a price or the signature is missing.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        due = [r for r in standing.requirements(vendor).open if not r.code.startswith("qualification.")]
        if due:
            raise RequirementsOpenError(errors=[{"field": r.field, "code": r.code, "detail": r.detail} for r in due])
        move(vendor, states.SUBMITTED, actor)
        if vendor.private_to_id is not None:
            # Its customer invited it and vouches for it; the test of its work is the same as everybody's.
            move(vendor, states.QUALIFYING, Actor.system(), "Invited by its customer.")
        return vendor


_DECISIONS = {
    "approve": states.QUALIFYING,
    "request_changes": states.CHANGES_REQUESTED,
    "reject": states.REJECTED,
    "suspend": states.SUSPENDED,
    "readmit": states.PROBATION,
}


def review(
    *,
    actor: Actor,
    vendor_id: uuid.UUID,
    decision: str,
    reason: str,
    until: datetime.datetime | None = None,
) -> Vendor:
    """Decide on a vendor as staff, with the reason the vendor will read; a suspension may end by itself (``until``).

    Raises
    ------
    ConflictError
        When the vendor's state does not allow the decision.
    """
    actor.require("vendors:review")
    if not actor.is_staff:
        raise PermissionDeniedError
    if decision not in _DECISIONS:
        detail = f"Decide one of {', '.join(_DECISIONS)}."
        raise ValidationFailedError.of("decision", "unknown", detail)
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).filter(pk=vendor_id).first()
        if vendor is None:
            raise NotFoundError("There is no such vendor.")
        if decision == "readmit" and not vendor.capabilities.filter(status=Capability.Status.ACTIVE).exists():
            raise ConflictError("The vendor has no qualified capability to be readmitted with.")
        if until is not None and (decision != "suspend" or until <= database_now()):
            detail = "Only a suspension has an end, and it lies in the future."
            raise ValidationFailedError.of("until", "out_of_range", detail)
        move(vendor, _DECISIONS[decision], actor, reason, until=until.isoformat() if until else None)
        Vendor.objects.filter(pk=vendor.pk).update(suspended_until=until)
        return vendor


def lift_suspensions() -> int:
    """Readmit on probation whose suspension has ended; return how many. Any number of runners may try."""
    ended = Vendor.objects.filter(state=states.SUSPENDED, suspended_until__lte=Now()).values_list("pk", flat=True)
    lifted = 0
    for vendor_id in list(ended[:100]):
        with transaction.atomic():
            vendor = Vendor.objects.select_for_update(no_key=True, skip_locked=True).filter(
                pk=vendor_id, state=states.SUSPENDED
            )
            for one in vendor:
                move(one, states.PROBATION, Actor.system(), "The suspension has ended.")
                lifted += 1
    return lifted


PROBATION_BATCHES = 5


def count_batch(*, vendor_id: uuid.UUID) -> None:
    """Count an accepted batch; the fifth ends a vendor's probation (called once per accepted assignment)."""
    Vendor.objects.filter(pk=vendor_id).update(n_batches_done=F("n_batches_done") + 1)
    reason = f"{PROBATION_BATCHES} batches accepted."
    grown = Vendor.objects.filter(pk=vendor_id, state=states.PROBATION, n_batches_done__gte=PROBATION_BATCHES)
    if grown.update(state=states.ACTIVE, state_reason=reason):
        record.add(Vendor.objects.get(pk=vendor_id), "vendor.active", Actor.system(), reason, former=states.PROBATION)


def move(vendor: Vendor, target: str, actor: Actor, reason: str = "", **facts: Any) -> Vendor:
    """Put a locked vendor into a state its present one allows, and record who did it and why.

    The state it already has is left as it is.

    Raises
    ------
    VendorStateError
        When the transition table does not allow it.
    """
    if vendor.state == target:
        return vendor
    if target not in states.TRANSITIONS[vendor.state]:
        raise VendorStateError(f"A vendor that is {vendor.state} cannot become {target}.", state=vendor.state)
    former, vendor.state, vendor.state_reason, vendor.suspended_until = vendor.state, target, reason, None
    vendor.save(update_fields=["state", "state_reason", "suspended_until"])
    record.add(vendor, f"vendor.{target}", actor, reason, former=former, **facts)
    if actor.organization_id != vendor.organization_id:
        record.tell(vendor, "vendor.state", vendor.pk, state=target.replace("_", " "), why=reason)
    return vendor
