"""Slots and records a day: reserved by one conditional update, so that no race can overbook a vendor."""

import datetime
import uuid
from dataclasses import dataclass, fields
from enum import Enum
from typing import Final

from django.db import connection, transaction
from django.db.models import F

from common.actors import Actor
from common.clock import database_now
from common.errors import ValidationFailedError
from vendors.models import CapacityWindow, Vendor, VendorAgreement
from vendors.selectors import vendors

_RESERVE = """
UPDATE vendors_capacitywindow w SET
    in_flight = in_flight + 1,
    taken_on = (statement_timestamp() AT TIME ZONE w.time_zone)::date,
    n_taken = %(n)s + CASE taken_on WHEN (statement_timestamp() AT TIME ZONE w.time_zone)::date THEN n_taken ELSE 0 END
FROM vendors_vendor v
WHERE v.id = w.vendor_id AND w.vendor_id = %(vendor)s
  AND w.in_flight < CASE v.state WHEN 'probation' THEN 1 ELSE w.slots END
  AND (w.daily_limit IS NULL OR w.daily_limit >= %(n)s + CASE taken_on
       WHEN (statement_timestamp() AT TIME ZONE w.time_zone)::date THEN n_taken ELSE 0 END)
"""
_LEFT_TODAY = """
SELECT w.daily_limit - CASE taken_on WHEN (statement_timestamp() AT TIME ZONE w.time_zone)::date THEN n_taken ELSE 0 END
FROM vendors_capacitywindow w WHERE w.vendor_id = %s
"""


def reserve(*, vendor_id: uuid.UUID, n_records: int) -> bool:
    """Take one slot and count the records of the day; return False when the slots or the day are full.

    Locks the vendor's capacity row; it comes last in the lock order. A vendor on probation has one slot. The day is
    that of the vendor's time zone.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, {"vendor": vendor_id, "n": n_records})
        return bool(cursor.rowcount == 1)


def left_today(*, vendor_id: uuid.UUID) -> int | None:
    """Return how many records the vendor may still accept today, None where it set no limit."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_TODAY, [vendor_id])
        left: int | None = cursor.fetchone()[0]
    return None if left is None else max(left, 0)


def take_back(*, vendor_id: uuid.UUID) -> bool:
    """Take a slot for rework of the vendor's own work, which a vendor on probation may do beside its batch."""
    updated = CapacityWindow.objects.filter(vendor_id=vendor_id, in_flight__lt=F("slots")).update(
        in_flight=F("in_flight") + 1
    )
    return updated == 1


def release(*, vendor_id: uuid.UUID) -> None:
    """Give one slot back; called once, with the transition that ends an assignment."""
    CapacityWindow.objects.filter(vendor_id=vendor_id).update(in_flight=F("in_flight") - 1)


class Keep(Enum):
    """Stands for a value that is not to be changed."""

    AS_IT_IS = "as it is"


KEEP: Final = Keep.AS_IT_IS


@dataclass(frozen=True, slots=True)
class Availability:
    """What a vendor changes of its availability; what is left out (``KEEP``) stays as it is."""

    is_accepting: bool | Keep = KEEP
    slots: int | Keep = KEEP
    paused_until: datetime.datetime | Keep | None = KEEP
    daily_limit: int | Keep | None = KEEP


CHANGES: Final = tuple(field.name for field in fields(Availability))


def set_availability(*, actor: Actor, change: Availability) -> Vendor:
    """Change whether and how much the actor's vendor takes; slots never fall below what is in flight.

    Raises
    ------
    ValidationFailedError
        When slots are fewer than the batches in hand or more than the agreement says, the pause is over already, or
        the daily limit is not positive.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = vendors.own(actor)
        window = CapacityWindow.objects.select_for_update(no_key=True).get(vendor=vendor)
        _check(change, window)
        changed = {name: value for name in CHANGES if not isinstance(value := getattr(change, name), Keep)}
        for name, value in changed.items():
            setattr(window, name, value)
        window.save(update_fields=list(changed))
        return vendor


def _check(change: Availability, window: CapacityWindow) -> None:
    low = max(window.in_flight, 1)
    if isinstance(change.slots, int):
        agreed = VendorAgreement.objects.filter(vendor_id=window.vendor_id).order_by("-version").first()
        if change.slots < low:
            detail = f"{window.in_flight} batches are in hand: give at least {low} slots."
            raise ValidationFailedError.of("slots", "too_few", detail)
        if agreed is not None and change.slots > max(agreed.max_concurrent, low):
            detail = f"You signed for {agreed.max_concurrent} batches at once; sign new terms to take more."
            raise ValidationFailedError.of("slots", "too_many", detail)
    if isinstance(change.paused_until, datetime.datetime) and change.paused_until <= database_now():
        detail = "A pause ends in the future; leave it out or null to go on at once."
        raise ValidationFailedError.of("paused_until", "in_the_past", detail)
    if isinstance(change.daily_limit, int) and change.daily_limit < 1:
        detail = f"Take at least 1 record a day, or null for no limit; got {change.daily_limit}."
        raise ValidationFailedError.of("daily_limit", "out_of_range", detail)
