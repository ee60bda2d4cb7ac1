"""Working time against a walk over every minute, on the days clocks change too."""

import datetime
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendors.core.calendar import Calendar, Interval, clock, deadline, minute_of, open_intervals

MINUTE = datetime.timedelta(minutes=1)
# Zones that change at 2:00, at midnight, by half an hour, never, and by an hour against their quarter-hour offset.
ZONES = [
    "Europe/Berlin",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Chatham",
    "America/New_York",
]
# Around changes of all these zones in 2026, and an ordinary week.
STARTS = [
    "2026-03-06",
    "2026-03-27",
    "2026-04-03",
    "2026-09-25",
    "2026-10-02",
    "2026-10-23",
    "2026-10-30",
    "2026-06-10",
]


@st.composite
def calendars(draw):
    weekly = {}
    for weekday in draw(st.sets(st.integers(0, 6), min_size=1)):
        cuts = sorted(draw(st.sets(st.integers(0, 96), min_size=2, max_size=6)))
        weekly[weekday] = [(a * 15, b * 15) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    first = datetime.date(2026, 3, 28) + datetime.timedelta(days=draw(st.integers(0, 220)))
    closed = draw(st.lists(st.just((first, first + datetime.timedelta(days=draw(st.integers(0, 3))))), max_size=1))
    return Calendar(draw(st.sampled_from(ZONES)), weekly, closed)


@st.composite
def instants(draw):
    day = datetime.datetime.fromisoformat(draw(st.sampled_from(STARTS))).replace(tzinfo=datetime.UTC)
    return day + draw(st.integers(0, 4 * 24 * 60)) * MINUTE


def is_open(calendar: Calendar, instant: datetime.datetime) -> bool:
    """Whether the wall clock shows opening hours."""
    local = instant.astimezone(ZoneInfo(calendar.time_zone))
    minute = local.hour * 60 + local.minute
    hours = calendar.weekly.get(local.weekday(), ())
    return not calendar.is_closed_on(local.date()) and any(start <= minute < end for start, end in hours)


def walked(calendar: Calendar, start: datetime.datetime, n_minutes: int, cap_minutes: int) -> datetime.datetime:
    """The deadline found minute by minute."""
    for passed in range(cap_minutes):
        if is_open(calendar, start + passed * MINUTE):
            n_minutes -= 1
        if n_minutes == 0:
            return start + (passed + 1) * MINUTE
    return start + cap_minutes * MINUTE


@given(calendars(), instants(), st.integers(1, 3000))
def test_the_deadline_is_that_of_a_walk_over_every_minute(calendar, start, n_minutes):
    cap = max(n_minutes, 4 * 24 * 60)
    assert deadline(calendar, start, n_minutes * 60, cap * 60) == walked(calendar, start, n_minutes, cap)


@given(calendars(), instants(), st.integers(1, 200_000), st.integers(1, 100_000), st.integers(0, 5000))
def test_the_deadline_is_monotone_in_window_and_start(calendar, start, window_s, more_s, later):
    cap_s = 400_000
    base = deadline(calendar, start, window_s, cap_s)
    assert start < base <= start + datetime.timedelta(seconds=cap_s)
    assert base <= deadline(calendar, start, window_s + more_s, cap_s)
    assert base <= deadline(calendar, start + later * MINUTE, window_s, cap_s)


@given(calendars(), instants())
def test_intervals_are_in_order_apart_and_open_throughout(calendar, start):
    end = start + datetime.timedelta(days=3)
    found = open_intervals(calendar, start, end)
    for earlier, later in itertools.pairwise(found):
        assert earlier.closes_at < later.opens_at
    n_open = sum(is_open(calendar, start + n * MINUTE) for n in range(3 * 24 * 60))
    assert sum((i.closes_at - i.opens_at) // MINUTE for i in found) == n_open


def test_an_hour_that_does_not_exist_is_not_worked_and_one_that_comes_twice_is_worked_twice():
    nights = Calendar("Europe/Berlin", {6: [(60, 240)]})
    spring = datetime.datetime(2026, 3, 28, 12, tzinfo=datetime.UTC)
    autumn = datetime.datetime(2026, 10, 24, 12, tzinfo=datetime.UTC)
    lengths = [
        sum(
            (i.closes_at - i.opens_at).total_seconds() / 3600 for i in open_intervals(nights, at, at + 24 * 60 * MINUTE)
        )
        for at in (spring, autumn)
    ]
    assert lengths == [2, 4]


def test_work_over_midnight_is_one_interval():
    night = Calendar("Asia/Kolkata", {0: [(1320, 1440)], 1: [(0, 360)]})
    start = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
    opens_at = datetime.datetime(2026, 6, 1, 16, 30, tzinfo=datetime.UTC)
    found = open_intervals(night, start, start + datetime.timedelta(days=2))
    assert found == [Interval(opens_at, opens_at + datetime.timedelta(hours=8))]


@pytest.mark.parametrize(
    ("zone", "weekly", "closures", "words"),
    [
        ("Mars/Olympus", {0: [(0, 60)]}, (), "IANA"),
        ("UTC", {}, (), "at least one weekday"),
        ("UTC", {0: []}, (), "at least one weekday"),
        ("UTC", {7: [(0, 60)]}, (), "0 to 6, got 7"),
        ("UTC", {0: [(60, 60)]}, (), "01:00 to 01:00"),
        ("UTC", {0: [(1320, 360)]}, (), "two stretches"),
        ("UTC", {0: [(0, 1441)]}, (), "within a day"),
        ("UTC", {0: [(60, 180), (120, 240)]}, (), "02:00 is before 03:00"),
        ("UTC", {0: [(0, 60)]}, ((datetime.date(2026, 2, 2), datetime.date(2026, 1, 1)),), "2026-02-02 to 2026-01-01"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(zone, weekly, closures, words):
    with pytest.raises(ValueError, match=words):
        Calendar(zone, weekly, closures)


@pytest.mark.parametrize(("window_s", "cap_s"), [(0, 10), (-1, 10), (11, 10)])
def test_a_window_is_positive_and_within_its_cap(window_s, cap_s):
    with pytest.raises(ValueError, match=str(window_s)):
        deadline(Calendar("UTC", {0: [(0, 60)]}), datetime.datetime.now(datetime.UTC), window_s, cap_s)


@pytest.mark.parametrize("text", ["9:00", "24:01", "12:60", "ab:cd", "1200", "", "-1:00", "²²:00"])
def test_times_are_read_strictly(text):
    with pytest.raises(ValueError, match="HH:MM"):
        minute_of(text)


@given(st.integers(0, 1440))
def test_a_minute_is_read_as_it_is_shown(minute):
    assert minute_of(clock(minute)) == minute
