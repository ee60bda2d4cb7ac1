"""A vendor's hours as it stated them, and when it is open next."""

import datetime
from dataclasses import dataclass

from vendors.core.calendar import WEEKDAYS, clock
from vendors.models import CapacityWindow, Vendor, WorkingHours


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours as clock times by day, closures as first and last day, and the present or next open stretch."""

    time_zone: str
    weekly: dict[str, list[tuple[str, str]]]
    closures: list[tuple[datetime.date, datetime.date]]
    open_from: datetime.datetime | None
    open_until: datetime.datetime | None


def of_vendor(vendor: Vendor) -> Hours | None:
    """Return what a vendor has stated, or None when it keeps no hours and is always open; two queries."""
    stated = WorkingHours.objects.filter(vendor=vendor).first()
    if stated is None:
        return None
    window = CapacityWindow.objects.get(vendor=vendor)
    return Hours(
        time_zone=window.time_zone,
        weekly={day: [(clock(a), clock(b)) for a, b in stated.weekly.get(day, [])] for day in WEEKDAYS},
        closures=[(datetime.date.fromisoformat(a), datetime.date.fromisoformat(b)) for a, b in stated.closures],
        open_from=window.open_from,
        open_until=window.open_until,
    )
