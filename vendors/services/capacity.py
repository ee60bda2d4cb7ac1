"""Slots: reserved by one conditional update, so that no race can overbook a vendor."""

import datetime
import uuid

from django.db import connection, transaction
from django.db.models import F

from common.actors import Actor
from common.errors import ValidationFailedError
from vendors.models import CapacityWindow, Vendor
from vendors.selectors import vendors

_RESERVE = """
UPDATE vendors_capacitywindow w SET in_flight = in_flight + 1
FROM vendors_vendor v
WHERE v.id = w.vendor_id AND w.vendor_id = %s
  AND w.in_flight < CASE v.state WHEN 'probation' THEN 1 ELSE w.slots END
"""


def reserve(*, vendor_id: uuid.UUID) -> bool:
    """Take one slot; return False when all are taken (a vendor on probation has one).

    Locks the vendor's capacity row; it comes last in the lock order.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, [vendor_id])
        return bool(cursor.rowcount == 1)


def take_back(*, vendor_id: uuid.UUID) -> bool:
    """Take a slot for rework of the vendor's own work, which a vendor on probation may do beside its batch."""
    updated = CapacityWindow.objects.filter(vendor_id=vendor_id, in_flight__lt=F("slots")).update(
        in_flight=F("in_flight") + 1
    )
    return updated == 1


def release(*, vendor_id: uuid.UUID) -> None:
    """Give one slot back; called once, with the transition that ends an assignment."""
    CapacityWindow.objects.filter(vendor_id=vendor_id).update(in_flight=F("in_flight") - 1)


def set_availability(
    *,
    actor: Actor,
    is_accepting: bool | None = None,
    slots: int | None = None,
    paused_until: datetime.datetime | None = None,
) -> Vendor:
    """Change whether and how much the actor's vendor takes; slots never fall below what is in flight.

    Raises
    ------
    ValidationFailedError
        When slots are fewer than the batches in hand.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = vendors.own(actor)
        window = CapacityWindow.objects.select_for_update().get(vendor=vendor)
        if slots is not None and slots < max(window.in_flight, 1):
            detail = f"{window.in_flight} batches are in hand: give at least {max(window.in_flight, 1)} slots."
            raise ValidationFailedError.of("slots", "too_few", detail)
        window.slots = window.slots if slots is None else slots
        window.is_accepting = window.is_accepting if is_accepting is None else is_accepting
        window.paused_until = paused_until
        window.save(update_fields=["slots", "is_accepting", "paused_until"])
        return vendor
