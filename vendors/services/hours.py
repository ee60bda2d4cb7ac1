"""A vendor's hours: stated by the vendor, laid out as open intervals weeks ahead, kept up by the sweeper.

The capacity row carries the stretch a vendor is in or enters next, so that an offer asks one row whether it is open.
"""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import connection, transaction

from common.actors import Actor
from common.clock import Now, database_now
from common.errors import ValidationFailedError
from vendors.core.calendar import WEEKDAYS, Calendar, open_intervals
from vendors.models import CapacityWindow, OpenInterval, Vendor, WorkingHours
from vendors.selectors import vendors

AHEAD: Final = datetime.timedelta(days=35)
"""How far open intervals are laid out; longer than any cap on a deadline."""
BEHIND: Final = datetime.timedelta(days=1)
REFRESH: Final = datetime.timedelta(days=1)

Weekly = Mapping[str, Sequence[tuple[int, int]]]
Closures = Sequence[tuple[datetime.date, datetime.date]]


def state(*, actor: Actor, time_zone: str, weekly: Weekly, closures: Closures = ()) -> Vendor:
    """State the weekly hours and closures of the actor's vendor; they replace the former ones for offers from now on.

    Said again, nothing changes. Locks the vendor, then its capacity.

    Raises
    ------
    ValidationFailedError
        When the zone is unknown, there are no hours at all, or a stretch or closure makes no sense.
    """
    actor.require("vendor:write")
    calendar = _calendar(time_zone, weekly, closures)
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        stated = {
            "weekly": {day: [list(stretch) for stretch in weekly.get(day, ())] for day in WEEKDAYS},
            "closures": [[first.isoformat(), last.isoformat()] for first, last in closures],
            "refresh_due_at": database_now() + REFRESH,
        }
        WorkingHours.objects.update_or_create(vendor=vendor, defaults=stated)
        CapacityWindow.objects.filter(vendor=vendor).update(time_zone=time_zone)
        _lay_out(vendor.pk, calendar)
        return vendor


def drop(*, actor: Actor) -> Vendor:
    """Keep no hours any more: the vendor is always open. Safe to repeat."""
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        WorkingHours.objects.filter(vendor=vendor).delete()
        OpenInterval.objects.filter(vendor=vendor).delete()
        CapacityWindow.objects.filter(vendor=vendor).update(keeps_hours=False, open_from=None, open_until=None)
        return vendor


def _calendar(time_zone: str, weekly: Weekly, closures: Closures) -> Calendar:
    unknown = sorted(set(weekly) - set(WEEKDAYS))
    if unknown:
        raise ValidationFailedError.of("weekly", "unknown_day", f"Days are {', '.join(WEEKDAYS)}; got {unknown[0]!r}.")
    by_number = {WEEKDAYS.index(day): stretches for day, stretches in weekly.items()}
    try:
        return Calendar(time_zone, by_number, closures)
    except ValueError as error:
        raise ValidationFailedError.of(_field_of(str(error)), "invalid_hours", f"{error}.".capitalize()) from None


def _field_of(words: str) -> str:
    return "time_zone" if "IANA" in words else "closures" if "closure" in words else "weekly"


def _of_row(hours: WorkingHours, time_zone: str) -> Calendar:
    closures = [
        (datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)) for first, last in hours.closures
    ]
    return Calendar(time_zone, {WEEKDAYS.index(day): spans for day, spans in hours.weekly.items()}, closures)


def _lay_out(vendor_id: uuid.UUID, calendar: Calendar) -> None:
    """Replace a locked vendor's open intervals by those of the coming weeks, and put it into its present one."""
    now = database_now()
    OpenInterval.objects.filter(vendor_id=vendor_id).delete()
    rows, worked_s = [], 0.0
    for interval in open_intervals(calendar, now - BEHIND, now + AHEAD):
        rows.append(
            OpenInterval(
                vendor_id=vendor_id,
                opens_at=interval.opens_at,
                closes_at=interval.closes_at,
                open_before_s=worked_s,
            )
        )
        worked_s += (interval.closes_at - interval.opens_at).total_seconds()
    OpenInterval.objects.bulk_create(rows)
    ahead = next((row for row in rows if row.closes_at > now), None)
    CapacityWindow.objects.filter(vendor_id=vendor_id).update(
        keeps_hours=True, open_from=ahead and ahead.opens_at, open_until=ahead and ahead.closes_at
    )


def refresh_due(*, limit: int = 100) -> int:
    """Lay out the next weeks of vendors whose turn it is (daily); return how many. Any number may run at once."""
    with transaction.atomic():
        due = WorkingHours.objects.filter(refresh_due_at__lte=Now()).order_by("refresh_due_at")[:limit]
        for hours in due.select_for_update(of=("self",), no_key=True, skip_locked=True):
            window = CapacityWindow.objects.get(vendor_id=hours.vendor_id)
            _lay_out(hours.vendor_id, _of_row(hours, window.time_zone))
            hours.refresh_due_at = database_now() + REFRESH
            hours.save(update_fields=["refresh_due_at"])
    return len(due)


_ROLL: Final = """
WITH due AS MATERIALIZED (
    SELECT vendor_id FROM vendors_capacitywindow
    WHERE open_until <= statement_timestamp() FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE vendors_capacitywindow w SET open_from = n.opens_at, open_until = n.closes_at
FROM due LEFT JOIN LATERAL (
    SELECT i.opens_at, i.closes_at FROM vendors_openinterval i
    WHERE i.vendor_id = due.vendor_id AND i.closes_at > statement_timestamp() ORDER BY i.opens_at LIMIT 1
) n ON true
WHERE w.vendor_id = due.vendor_id
"""


def roll() -> int:
    """Move vendors that have just closed on to the stretch they open next; return how many. Any number may run."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLL)
        return int(cursor.rowcount)
