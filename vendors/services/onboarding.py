"""A vendor's way into the market: register, declare, price, sign, submit, review."""

import datetime
import uuid
from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.db.models import F

from common.actors import VENDOR, Actor
from common.clock import database_now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError, ValidationFailedError
from common.models import Organization
from vendors.core import states
from vendors.errors import PriceOverlapError, RequirementsOpenError, VendorStateError
from vendors.models import Capability, CapacityWindow, PriceListEntry, Vendor, VendorAgreement
from vendors.selectors import vendors


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


def register(*, actor: Actor, name: str, languages: list[str], regions: list[str], private: bool = False) -> Vendor:
    """Register the actor's organization as a vendor, or return it when it already is.

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
        return vendor


def declare_capability(*, actor: Actor, task_type: str, modality: str, language: str, domain: str) -> Capability:
    """Declare a kind of work; asked again, the same one is returned. It is inactive until qualified."""
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        capability, _ = Capability.objects.get_or_create(
            vendor=vendors.own(actor), task_type=task_type, modality=modality, language=language, domain=domain
        )
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


def sign_agreement(*, actor: Actor, terms: AgreementTerms) -> VendorAgreement:
    """Sign a new version of the terms; it replaces the former one for offers made from now on.

    Locks the vendor row, so that two signatures at once become two versions.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update().get(pk=vendors.own(actor).pk)
        version = vendor.agreements.count() + 1
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
        due = [r for r in vendors.requirements(vendor) if r.code != "qualification.passed"]
        if due:
            raise RequirementsOpenError(
                errors=[{"field": r.code, "code": "currently_due", "detail": r.detail} for r in due]
            )
        return move(vendor, states.SUBMITTED)


_DECISIONS = {
    "approve": states.QUALIFYING,
    "request_changes": states.CHANGES_REQUESTED,
    "reject": states.REJECTED,
    "suspend": states.SUSPENDED,
    "readmit": states.PROBATION,
}


def review(*, actor: Actor, vendor_id: uuid.UUID, decision: str, reason: str) -> Vendor:
    """Decide on a vendor as staff, with the reason the vendor will read.

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
        return move(vendor, _DECISIONS[decision], reason)


PROBATION_BATCHES = 5


def count_batch(*, vendor_id: uuid.UUID) -> None:
    """Count an accepted batch; the fifth ends a vendor's probation (called once per accepted assignment)."""
    Vendor.objects.filter(pk=vendor_id).update(n_batches_done=F("n_batches_done") + 1)
    Vendor.objects.filter(pk=vendor_id, state=states.PROBATION, n_batches_done__gte=PROBATION_BATCHES).update(
        state=states.ACTIVE, state_reason=f"{PROBATION_BATCHES} batches accepted."
    )


def move(vendor: Vendor, target: str, reason: str = "") -> Vendor:
    """Put a locked vendor into a state its present one allows; the state it already has is left as it is.

    Raises
    ------
    VendorStateError
        When the transition table does not allow it.
    """
    if vendor.state == target:
        return vendor
    if target not in states.TRANSITIONS[vendor.state]:
        raise VendorStateError(f"A vendor that is {vendor.state} cannot become {target}.", state=vendor.state)
    vendor.state, vendor.state_reason = target, reason
    vendor.save(update_fields=["state", "state_reason"])
    return vendor
