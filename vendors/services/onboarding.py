"""A vendor's way into the market: register, declare, price, sign, submit, review."""

import datetime
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from common.actors import VENDOR, Actor
from common.clock import Now, database_now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError, ValidationFailedError
from common.models import Organization
from vendors.core import states
from vendors.errors import AgreementVersionError, PriceOverlapError, RequirementsOpenError, VendorStateError
from vendors.models import Capability, CapacityWindow, PriceListEntry, Vendor, VendorAgreement
from vendors.selectors import standing, vendors
from vendors.services import documents, invitations, record


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """What a vendor promises: seconds to answer an offer by priority, smallest batch, speed."""

    accept_window_cost_s: int
    accept_window_speed_s: int
    accept_window_accuracy_s: int
    min_batch: int
    max_concurrent: int
    start_window_s: int
    base_s: int
    seconds_per_label: float
    signed_by: str
    start_grace_s: int = 900


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
        Organization.objects.select_for_update().get(pk=actor.organization_id)
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


def declare_capability(*, actor: Actor, task_type: str, modality: str, language: str, domain: str) -> Capability:
    """Declare a kind of work; asked again, the same one is returned. It is inactive until qualified."""
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update().get(pk=vendors.own(actor).pk)
        capability, is_new = Capability.objects.get_or_create(
            vendor=vendor, task_type=task_type, modality=modality, language=language, domain=domain
        )
        if is_new:
            documents.refresh(vendor)
            capability.refresh_from_db()
        return capability


def list_price(
    *,
    actor: Actor,
    capability_id: uuid.UUID,
    price_micro: int,
    currency: str,
    valid_from: datetime.datetime | None = None,
) -> PriceListEntry:
    """List a price per label from a moment on (default: now). Entries are immutable; offers snapshot them.

    Raises
    ------
    NotFoundError
        When the capability is not the actor's.
    ValidationFailedError, PriceOverlapError
        When the price starts in the past, is out of range, or another price starts at the same moment.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        capability = Capability.objects.filter(pk=capability_id, vendor=vendors.own(actor)).first()
        if capability is None:
            raise NotFoundError("There is no such capability.")
        now = database_now()
        if valid_from is not None and valid_from < now:
            raise ValidationFailedError.of("valid_from", "in_the_past", "A price cannot start in the past.")
        try:
            with transaction.atomic():
                return PriceListEntry.objects.create(
                    capability=capability, price_micro=price_micro, currency=currency, valid_from=valid_from or now
                )
        except IntegrityError as error:
            if "price_start_once" in str(error):
                raise PriceOverlapError.of("valid_from", "price_overlap", PriceOverlapError.title()) from None
            detail = f"A price lies between 1 and {10**12} micro-units, got {price_micro}."
            raise ValidationFailedError.of("price_micro", "out_of_range", detail) from None


def sign_agreement(*, actor: Actor, terms: AgreementTerms, replaces: int | None = None) -> VendorAgreement:
    """Sign a new version of the terms; it replaces the former one for offers made from now on.

    ``replaces`` names the version the signer has read; without it two signatures at once become two versions.
    Locks the vendor row.

    Raises
    ------
    AgreementVersionError
        When another version was signed meanwhile.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update().get(pk=vendors.own(actor).pk)
        version = vendor.agreements.count() + 1
        if replaces is not None and replaces != version - 1:
            raise AgreementVersionError(current=version - 1)
        agreement = VendorAgreement.objects.create(vendor=vendor, version=version, **asdict(terms))
        window = CapacityWindow.objects.select_for_update().get(vendor=vendor)
        window.slots = max(terms.max_concurrent, window.in_flight)
        window.save(update_fields=["slots"])
        return agreement


def submit(*, actor: Actor) -> Vendor:
    """Hand the application in for review.

    Raises
    ------
    RequirementsOpenError
        When a capability, a price or the signature is missing.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update().get(pk=vendors.own(actor).pk)
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
        vendor = Vendor.objects.select_for_update().filter(pk=vendor_id).first()
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
            vendor = Vendor.objects.select_for_update(skip_locked=True).filter(pk=vendor_id, state=states.SUSPENDED)
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
    return vendor
