"""Offers in the vendors' working time: made to the open, timed while open, never more a day than wanted."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from common.clock import database_now
from common.errors import ValidationFailedError
from marketplace.core.routing import Weights
from marketplace.errors import DailyLimitError
from marketplace.models import Batch, Offer
from marketplace.services import offering, offers, sweeper
from tests import market
from vendors.core.calendar import WEEKDAYS, Calendar, deadline, open_intervals
from vendors.models import CapacityWindow, OpenInterval, RatioPosterior, WorkingHours
from vendors.services import capacity, hours
from vendors.services.capacity import Availability

pytestmark = pytest.mark.django_db(transaction=True)

ALWAYS = {day: [(0, 1440)] for day in WEEKDAYS}


@pytest.fixture
def pair():
    market.gold_set()
    return [market.seller(price, accept_window_cost_s=1800) for price in (30_000, 40_000)]


def minutes(delta: datetime.timedelta) -> float:
    return delta.total_seconds() / 60


def keep_hours(one: market.Seller, *, opens_in: float, closes_in: float) -> None:
    """Let a vendor be open from so many minutes to so many minutes from now, today and every day."""
    hours.state(actor=one.actor, time_zone="UTC", weekly=ALWAYS)
    now = database_now()
    OpenInterval.objects.filter(vendor_id=one.vendor_id).delete()
    length = (closes_in - opens_in) * 60
    rows = [
        OpenInterval(
            vendor_id=one.vendor_id,
            opens_at=now + datetime.timedelta(days=day, minutes=opens_in),
            closes_at=now + datetime.timedelta(days=day, minutes=closes_in),
            open_before_s=(day + 1) * length,
        )
        for day in range(-1, 20)
    ]
    OpenInterval.objects.bulk_create(rows)
    ahead = next(row for row in rows if row.closes_at > now)
    CapacityWindow.objects.filter(vendor_id=one.vendor_id).update(open_from=ahead.opens_at, open_until=ahead.closes_at)


def test_a_closed_vendor_is_not_asked_while_another_is_open(pair):
    keep_hours(pair[0], opens_in=60, closes_in=120)
    market.job(market.customer(), min_overlap=1)
    assert market.live_offer(pair[0]) is None
    assert market.live_offer(pair[1]) is not None


def test_when_all_are_closed_the_batch_waits_for_the_first_to_open(pair):
    keep_hours(pair[0], opens_in=90, closes_in=120)
    keep_hours(pair[1], opens_in=60, closes_in=120)
    market.job(market.customer(), min_overlap=1)
    assert offering.advance() == []
    batch = Batch.objects.get()
    assert (batch.state, batch.reason) == ("offering", "candidates_busy")
    assert 59 < minutes(batch.offer_due_at - database_now()) <= 60
    assert offering.advance() == []


def test_the_window_runs_in_working_time_over_the_night(pair):
    keep_hours(pair[0], opens_in=-470, closes_in=20)
    CapacityWindow.objects.filter(vendor_id=pair[1].vendor_id).update(is_accepting=False)
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(pair[0])
    # 20 of 30 minutes today, 10 tomorrow, which begins 970 minutes from now.
    assert minutes(offer.expires_at - offer.created_at) == pytest.approx(24 * 60 - 470 + 10, abs=0.2)
    assert minutes(offer.remind_at - offer.created_at) == pytest.approx(15, abs=0.2)
    assert not offer.is_cut


def test_a_vendor_about_to_close_steps_back_behind_one_that_stays_open(pair):
    keep_hours(pair[0], opens_in=-470, closes_in=10)
    market.job(market.customer(), min_overlap=1)
    assert market.live_offer(pair[1]) is not None


def test_a_deadline_cut_by_the_cap_is_no_silence(pair, settings):
    settings.OFFER_CAP_S = 3600.0
    keep_hours(pair[0], opens_in=-470, closes_in=20)
    CapacityWindow.objects.filter(vendor_id=pair[1].vendor_id).update(is_accepting=False)
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(pair[0])
    assert offer.is_cut
    assert minutes(offer.expires_at - offer.created_at) == pytest.approx(60, abs=0.01)
    Offer.objects.update(created_at=timezone.now() - datetime.timedelta(hours=2), expires_at=timezone.now())
    assert offering.expire() == 1
    assert not RatioPosterior.objects.filter(metric="acceptance").exists()


def test_the_statement_agrees_with_the_calendar_whenever_it_starts(pair):
    weekly = {"mon": [(480, 720), (780, 1020)], "wed": [(0, 1440)], "thu": [(0, 300)], "fri": [(1380, 1440)]}
    hours.state(actor=pair[0].actor, time_zone="Europe/Berlin", weekly=weekly)
    calendar = Calendar("Europe/Berlin", {WEEKDAYS.index(day): spans for day, spans in weekly.items()})
    now, cap_s = database_now(), 8 * 24 * 3600.0
    starts = [now + datetime.timedelta(hours=h) for h in range(0, 24 * 14, 5)]
    with connection.cursor() as cursor:
        for start in starts:
            for window_s in (1.0, 900.0, 9 * 3600.0, 60 * 3600.0):
                cursor.execute(
                    "SELECT vendors_working_deadline(%s, %s, %s, %s)", [pair[0].vendor_id, start, window_s, cap_s]
                )
                expected = deadline(calendar, start, window_s, cap_s)
                assert abs((cursor.fetchone()[0] - expected).total_seconds()) < 0.001


def test_hours_are_laid_out_for_weeks_rolled_on_and_refreshed(pair):
    weekly = {"mon": [(540, 1020)], "tue": [(540, 1020)]}
    closed = (database_now() + datetime.timedelta(days=7)).date()
    hours.state(actor=pair[0].actor, time_zone="Asia/Kolkata", weekly=weekly, closures=[(closed, closed)])
    rows = list(OpenInterval.objects.filter(vendor_id=pair[0].vendor_id).order_by("opens_at"))
    assert len(rows) >= 8
    assert closed not in {row.opens_at.astimezone(ZoneInfo("Asia/Kolkata")).date() for row in rows}
    past = database_now() - datetime.timedelta(seconds=1)
    CapacityWindow.objects.filter(vendor_id=pair[0].vendor_id).update(open_until=past)
    assert (hours.roll(), hours.roll()) == (1, 0)
    window = CapacityWindow.objects.get(vendor_id=pair[0].vendor_id)
    ahead = next(row for row in rows if row.closes_at > database_now())
    assert (window.open_from, window.open_until) == (ahead.opens_at, ahead.closes_at)
    OpenInterval.objects.all().delete()
    WorkingHours.objects.update(refresh_due_at=past)
    sweeper.sweep()
    assert OpenInterval.objects.count() >= 8
    assert hours.refresh_due() == 0


def test_work_is_timed_in_working_time_too(pair):
    keep_hours(pair[0], opens_in=-470, closes_in=45)
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(pair[0])
    keep_hours(pair[0], opens_in=-470, closes_in=0.5)
    assignment = offers.accept(actor=pair[0].actor, offer_id=offer.pk)
    assert minutes(assignment.start_due_at - database_now()) == pytest.approx(24 * 60 - 470 + 0.5, abs=0.3)
    assert assignment.start_due_at < assignment.due_at


def test_always_open_again_after_hours_are_dropped(pair):
    keep_hours(pair[0], opens_in=60, closes_in=120)
    hours.drop(actor=pair[0].actor)
    hours.drop(actor=pair[0].actor)
    market.job(market.customer(), min_overlap=1)
    assert market.live_offer(pair[0]) is not None
    assert not OpenInterval.objects.exists()


def test_the_day_is_full_until_midnight_in_the_vendors_zone(pair):
    CapacityWindow.objects.filter(vendor_id=pair[0].vendor_id).update(time_zone="Pacific/Auckland", daily_limit=8)
    CapacityWindow.objects.filter(vendor_id=pair[1].vendor_id).update(is_accepting=False)
    market.job(market.customer(), n_records=12, min_overlap=1, n_gold=0)
    first, second = (market.live_offer(pair[0]), Offer.objects.order_by("pk").last())
    offers.accept(actor=pair[0].actor, offer_id=first.pk)
    with pytest.raises(DailyLimitError) as refused:
        offers.accept(actor=pair[0].actor, offer_id=second.pk)
    assert refused.value.facts == {"left": 2}
    assert offers.accept(actor=pair[0].actor, offer_id=second.pk, n_records=2).n_items == 2
    later = market.job(market.customer(), min_overlap=1, n_gold=0)
    offering.advance()
    zone = ZoneInfo("Pacific/Auckland")
    tomorrow = database_now().astimezone(zone).date() + datetime.timedelta(days=1)
    batch = Batch.objects.get(job=later)
    assert batch.offer_due_at == datetime.datetime.combine(tomorrow, datetime.time(), zone)
    yesterday = tomorrow - datetime.timedelta(days=2)
    CapacityWindow.objects.filter(vendor_id=pair[0].vendor_id).update(taken_on=yesterday)
    Batch.objects.filter(pk=batch.pk).update(offer_due_at=database_now())
    offers.accept(actor=pair[0].actor, offer_id=market.live_offer(pair[0]).pk)
    assert CapacityWindow.objects.get(vendor_id=pair[0].vendor_id).n_taken == 6


def test_batches_outside_a_vendors_sizes_go_to_others(pair):
    big = market.seller(20_000, min_batch=7)
    CapacityWindow.objects.filter(vendor_id=pair[0].vendor_id).update(daily_limit=5)
    market.job(market.customer(), min_overlap=1, n_gold=0)
    assert market.live_offer(big) is None
    assert market.live_offer(pair[1]) is not None


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"slots": 0}, "slots", "too_few"),
        ({"slots": 9}, "slots", "too_many"),
        ({"daily_limit": 0}, "daily_limit", "out_of_range"),
        ({"paused_until": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)}, "paused_until", "in_the_past"),
    ],
)
def test_availability_that_makes_no_sense_is_refused(pair, change, field, code):
    with pytest.raises(ValidationFailedError) as refused:
        capacity.set_availability(actor=pair[0].actor, change=Availability(**change))
    assert [(e["field"], e["code"]) for e in refused.value.errors] == [(field, code)]


def test_availability_keeps_what_is_left_out(pair):
    until = database_now() + datetime.timedelta(days=2)
    capacity.set_availability(actor=pair[0].actor, change=Availability(paused_until=until, daily_limit=50))
    capacity.set_availability(actor=pair[0].actor, change=Availability(slots=2))
    window = CapacityWindow.objects.get(vendor_id=pair[0].vendor_id)
    assert (window.paused_until, window.daily_limit, window.slots) == (until, 50, 2)
    capacity.set_availability(actor=pair[0].actor, change=Availability(paused_until=None))
    window.refresh_from_db()
    assert (window.paused_until, window.daily_limit) == (None, 50)


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"time_zone": "Nowhere/City", "weekly": ALWAYS}, "time_zone"),
        ({"time_zone": "UTC", "weekly": {}}, "weekly"),
        ({"time_zone": "UTC", "weekly": {"someday": [(0, 60)]}}, "weekly"),
        (
            {
                "time_zone": "UTC",
                "weekly": ALWAYS,
                "closures": [(datetime.date(2026, 12, 26), datetime.date(2026, 12, 24))],
            },
            "closures",
        ),
    ],
)
def test_hours_that_make_no_sense_are_refused_with_their_field(pair, stated, field):
    with pytest.raises(ValidationFailedError) as refused:
        hours.state(actor=pair[0].actor, **stated)
    assert refused.value.errors[0]["field"] == field
    assert not WorkingHours.objects.exists()


def test_a_vendor_closed_for_longer_than_laid_out_is_no_candidate(pair):
    today = database_now().date()
    months = [(today - datetime.timedelta(days=1), today + datetime.timedelta(days=60))]
    for one in pair:
        hours.state(actor=one.actor, time_zone="UTC", weekly=ALWAYS, closures=months)
    market.job(market.customer(), min_overlap=1, max_rounds=1, weights=Weights.of("cost"))
    offering.advance()
    assert Batch.objects.get().state == "escalated"
    assert open_intervals(Calendar("UTC", {0: [(0, 60)]}, months), database_now(), database_now()) == []
