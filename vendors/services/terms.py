"""What binds a vendor: prices that never change, and signed versions of the agreement."""

import datetime
import uuid
from dataclasses import asdict, dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from common.actors import Actor
from common.clock import database_now
from common.errors import NotFoundError, ValidationFailedError
from vendors.core import agreement
from vendors.errors import AgreementVersionError, PriceOverlapError
from vendors.models import Capability, CapacityWindow, PriceListEntry, Vendor, VendorAgreement
from vendors.selectors import agreements, vendors
from vendors.services import record

MAX_PRICE_MICRO: Final = 10**12


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


def list_price(
    *,
    actor: Actor,
    capability_id: uuid.UUID,
    price_micro: int,
    currency: str,
    valid_from: datetime.datetime | None = None,
    valid_until: datetime.datetime | None = None,
) -> PriceListEntry:
    """List a price per label from a moment on (default: now). Entries are immutable; offers snapshot them.

    A price without an end counts until a later one begins. One with an end has its time for itself, and after it the
    price before counts again.

    Raises
    ------
    NotFoundError
        When the capability is not the actor's.
    ValidationFailedError, PriceOverlapError
        When the price starts in the past, ends before it starts, is out of range, or overlaps another.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        capability = Capability.objects.filter(pk=capability_id, vendor=vendor).first()
        if capability is None:
            raise NotFoundError("There is no such capability.")
        now = database_now()
        start = valid_from or now
        _check_price(price_micro, start, valid_until, now)
        _check_overlap(capability, start, valid_until)
        given = {"price_micro": price_micro, "currency": currency, "valid_from": start, "valid_until": valid_until}
        try:
            with transaction.atomic():
                entry = PriceListEntry.objects.create(capability=capability, **given)
        except IntegrityError as error:
            if "price" not in str(error):
                raise
            raise PriceOverlapError.of("valid_from", "price_overlap", PriceOverlapError.title()) from None
        record.add(vendor, "price.listed", actor, price=entry.public_id, price_micro=price_micro, currency=currency)
        return entry


def _check_price(
    price_micro: int, start: datetime.datetime, until: datetime.datetime | None, now: datetime.datetime
) -> None:
    if not 1 <= price_micro <= MAX_PRICE_MICRO:
        detail = f"A price lies between 1 and {MAX_PRICE_MICRO} micro-units, got {price_micro}."
        raise ValidationFailedError.of("price_micro", "out_of_range", detail)
    if start < now:
        raise ValidationFailedError.of("valid_from", "in_the_past", "A price cannot start in the past.")
    if until is not None and until <= start:
        raise ValidationFailedError.of("valid_until", "before_start", "A price ends after it starts; or leave it out.")


def _check_overlap(capability: Capability, start: datetime.datetime, until: datetime.datetime | None) -> None:
    same_start = Q(valid_from=start)
    within = Q(valid_from__lte=start, valid_until__gt=start)
    spans = Q(valid_from__gte=start, valid_from__lt=until) if until else same_start
    other = capability.prices.filter(same_start | within | spans).order_by("valid_from").first()
    if other is None:
        return
    end = f" until {other.valid_until:%Y-%m-%d %H:%M}" if other.valid_until else ""
    detail = f"A price is listed from {other.valid_from:%Y-%m-%d %H:%M}{end} UTC; choose a time that does not overlap."
    field = "valid_until" if until and other.valid_from > start else "valid_from"
    raise PriceOverlapError.of(field, "price_overlap", detail)


def sign_agreement(
    *,
    actor: Actor,
    terms: AgreementTerms,
    replaces: int | None = None,
    valid_from: datetime.datetime | None = None,
) -> VendorAgreement:
    """Sign a new version of the terms; it replaces the former one for offers made from its start (default: now).

    Locks the vendor row. With ``replaces`` the signature counts only in place of that version (0: of none), so of
    two people who sign at once the second is told. The text is kept as a hash of exactly what the numbers say.

    Raises
    ------
    AgreementVersionError
        When another version was signed meanwhile.
    ValidationFailedError
        When the start lies in the past, or a number is not positive.
    """
    actor.require("vendor:write")
    stated = asdict(terms)
    for name, value in stated.items():
        if isinstance(value, int | float) and name not in {"base_s", "start_grace_s"} and value <= 0:
            raise ValidationFailedError.of(name, "out_of_range", f"This is more than 0, got {value}.")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        newest = agreements.newest(vendor.pk)
        version = newest.version if newest else 0
        if replaces is not None and replaces != version:
            raise AgreementVersionError(current=version)
        now = database_now()
        if valid_from is not None and valid_from < now:
            raise ValidationFailedError.of("valid_from", "in_the_past", "An agreement cannot start in the past.")
        signed = VendorAgreement.objects.create(
            vendor=vendor,
            version=version + 1,
            terms_hash=agreement.hash_of(agreement.text_of(stated)),
            valid_from=valid_from or now,
            **stated,
        )
        window = CapacityWindow.objects.select_for_update(no_key=True).get(vendor=vendor)
        window.slots = max(terms.max_concurrent, window.in_flight)
        window.save(update_fields=["slots"])
        record.add(vendor, "agreement.signed", actor, version=signed.version, terms_hash=signed.terms_hash)
        return signed
