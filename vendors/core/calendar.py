"""Working time: when a vendor is open, and when a number of working seconds will have passed.

A vendor is open exactly while the clock on its wall shows its hours, and the day is not one it is closed. On the day
clocks go forward an hour that does not exist is not worked; on the day they go back one that comes twice is worked
twice. Instants are UTC, days and minutes are local.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

MINUTES_A_DAY: Final = 24 * 60
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = datetime.timedelta(days=1)
_SECOND: Final = datetime.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time in which a vendor is open: from ``opens_at`` up to but not including ``closes_at``, UTC."""

    opens_at: datetime.datetime
    closes_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weekly hours in a time zone, less the days closed.

    Parameters
    ----------
    time_zone
        IANA name, such as ``Europe/Berlin``.
    weekly
        Weekday (0 Monday to 6 Sunday) to stretches of minutes after local midnight, ``(start, end)`` with
        ``0 <= start < end <= 1440``, in order and apart. Work past midnight is given as two stretches.
    closures
        First and last local day of holidays and vacations, both included.

    Raises
    ------
    ValueError
        When the zone is unknown, there are no hours at all, or a stretch or closure is the wrong way round, out of
        range or overlaps another; the message gives both numbers.

    Examples
    --------
    >>> Calendar("Europe/Berlin", {0: [(540, 1020)]}).time_zone
    'Europe/Berlin'
    >>> Calendar("Europe/Berlin", {})
    Traceback (most recent call last):
    ...
    ValueError: a calendar needs hours on at least one weekday, got none
    """

    time_zone: str
    weekly: Mapping[int, Sequence[tuple[int, int]]]
    closures: Sequence[tuple[datetime.date, datetime.date]] = ()

    def __post_init__(self) -> None:
        if self.time_zone not in available_timezones():
            raise ValueError(f"{self.time_zone!r} is no IANA time zone; give one such as 'Europe/Berlin'")
        if not any(self.weekly.values()):
            raise ValueError("a calendar needs hours on at least one weekday, got none")
        for weekday, stretches in self.weekly.items():
            _check_day(weekday, stretches)
        for first, last in self.closures:
            if first > last:
                raise ValueError(f"a closure ends before it begins: {first} to {last}")

    def is_closed_on(self, day: datetime.date) -> bool:
        """Return whether a local day is a holiday or in a vacation."""
        return any(first <= day <= last for first, last in self.closures)


def _check_day(weekday: int, stretches: Sequence[tuple[int, int]]) -> None:
    if not 0 <= weekday < len(WEEKDAYS):
        raise ValueError(f"a weekday is 0 to 6, got {weekday}")
    earlier = 0
    for start, end in stretches:
        if not 0 <= start < end <= MINUTES_A_DAY:
            raise ValueError(
                f"{WEEKDAYS[weekday]}: hours begin before they end and stay within a day, got {clock(start)} to "
                f"{clock(end)}; give work past midnight as two stretches"
            )
        if start < earlier:
            raise ValueError(f"{WEEKDAYS[weekday]}: hours overlap, {clock(start)} is before {clock(earlier)}")
        earlier = end


def clock(minute: int) -> str:
    """Return a minute of the day as a clock shows it.

    >>> clock(570), clock(1440)
    ('09:30', '24:00')
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"


def minute_of(text: str) -> int:
    """Return the minute of the day that ``HH:MM`` means, 00:00 to 24:00.

    Raises
    ------
    ValueError
        When it is no such time.

    Examples
    --------
    >>> minute_of("09:30")
    570
    """
    hours, colon, minutes = text.partition(":")
    is_clock = colon and hours.isascii() and minutes.isascii() and hours.isdigit() and minutes.isdigit()
    if not is_clock or len(hours) != 2 or len(minutes) != 2 or int(minutes) > 59:
        raise ValueError(f"give times as HH:MM from 00:00 to 24:00, got {text!r}")
    minute = int(hours) * 60 + int(minutes)
    if minute > MINUTES_A_DAY:
        raise ValueError(f"give times as HH:MM from 00:00 to 24:00, got {text!r}")
    return minute


def open_intervals(calendar: Calendar, start: datetime.datetime, end: datetime.datetime) -> list[Interval]:
    """Return when a vendor is open from ``start`` to ``end`` (aware), in order, apart, cut at both ends.

    Notes
    -----
    Linear in the days between; the zone's rules are asked twice a day and bisected where they change.
    """
    found: list[Interval] = []
    for begin, stop, offset in _offsets(ZoneInfo(calendar.time_zone), start, end):
        for interval in _within(calendar, begin, stop, offset):
            if found and found[-1].closes_at == interval.opens_at:
                found[-1] = Interval(found[-1].opens_at, interval.closes_at)
            else:
                found.append(interval)
    return found


def _offsets(
    zone: ZoneInfo, start: datetime.datetime, end: datetime.datetime
) -> Iterator[tuple[datetime.datetime, datetime.datetime, datetime.timedelta]]:
    """Yield stretches of time with the zone's offset in force: a new one each day, and where the clocks change."""
    begin = start.astimezone(datetime.UTC)
    end = end.astimezone(datetime.UTC)
    while begin < end:
        stop = min(begin + _DAY, end)
        offset = _offset(zone, begin)
        if _offset(zone, stop - datetime.timedelta(microseconds=1)) != offset:
            stop = _change(zone, begin, stop)
        yield begin, stop, offset
        begin = stop


def _offset(zone: ZoneInfo, instant: datetime.datetime) -> datetime.timedelta:
    offset = instant.astimezone(zone).utcoffset()
    if offset is None:
        raise ValueError(f"the zone {zone} has no offset at {instant}")
    return offset


def _change(zone: ZoneInfo, low: datetime.datetime, high: datetime.datetime) -> datetime.datetime:
    """Return the first whole second at which the offset is no longer that of ``low``."""
    offset = _offset(zone, low)
    low = low.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + datetime.timedelta(seconds=(high - low) // _SECOND // 2)
        low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
    return low + _SECOND


def _within(
    calendar: Calendar, begin: datetime.datetime, stop: datetime.datetime, offset: datetime.timedelta
) -> Iterator[Interval]:
    """Yield the open stretches between two instants at one offset."""
    day = (begin + offset).date()
    while day <= (stop + offset).date():
        if not calendar.is_closed_on(day):
            midnight = datetime.datetime.combine(day, datetime.time(), datetime.UTC) - offset
            for first, last in calendar.weekly.get(day.weekday(), ()):
                opens_at = max(begin, midnight + datetime.timedelta(minutes=first))
                closes_at = min(stop, midnight + datetime.timedelta(minutes=last))
                if opens_at < closes_at:
                    yield Interval(opens_at, closes_at)
        day += _DAY


def deadline(calendar: Calendar, start: datetime.datetime, window_s: float, cap_s: float) -> datetime.datetime:
    """Return when ``window_s`` working seconds from ``start`` have passed, at the latest ``cap_s`` after ``start``.

    Parameters
    ----------
    start
        Aware instant; a vendor closed then begins to count when it opens.
    window_s
        Working time allowed, seconds, above 0.
    cap_s
        Most time on the clock, seconds, at least ``window_s``.

    Raises
    ------
    ValueError
        When the window is not positive or longer than the cap.

    Examples
    --------
    >>> berlin = Calendar("Europe/Berlin", {4: [(540, 1020)], 0: [(540, 1020)]})
    >>> friday = datetime.datetime(2026, 11, 27, 15, 50, tzinfo=datetime.UTC)
    >>> deadline(berlin, friday, 1800, 7 * 24 * 3600).isoformat()
    '2026-11-30T08:20:00+00:00'
    """
    if not 0 < window_s <= cap_s:
        raise ValueError(f"a window is more than 0 s and no longer than its cap, got {window_s} s of {cap_s} s")
    latest = start.astimezone(datetime.UTC) + datetime.timedelta(seconds=cap_s)
    left = datetime.timedelta(seconds=window_s)
    for interval in open_intervals(calendar, start, latest):
        if interval.closes_at - interval.opens_at >= left:
            return interval.opens_at + left
        left -= interval.closes_at - interval.opens_at
    return latest
