"""Running time is told exactly once, whoever sweeps; work not begun may be given back without blame."""

import datetime
import threading

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from common import outbox
from marketplace.models import Assignment, Notice, Offer, RoutingEvent
from marketplace.services import annotations, assignments, offering, offers, reminders, sweeper
from tests import market
from vendors.models import RatioPosterior

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (30_000, 40_000)]


def ago(seconds: float) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(seconds=seconds)


def told(kind: str) -> int:
    """How many lines of a kind have reached the inboxes."""
    while outbox.relay():
        pass
    return Notice.objects.filter(kind=kind).count()


def accepted(one: market.Seller) -> Assignment:
    return offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)


def failures(one: market.Seller) -> bool:
    return RatioPosterior.objects.filter(capability_id=one.capability_id, metric="completion").exists()


def test_an_offer_is_reminded_of_once_at_half_its_time(sellers):
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(sellers[0])
    assert (offer.remind_at - offer.created_at).total_seconds() == pytest.approx(30, abs=0.01)
    assert reminders.send_due() == 0
    Offer.objects.update(remind_at=timezone.now())
    assert (reminders.send_due(), reminders.send_due()) == (1, 0)
    assert told("offer.reminder") == 1
    notice = Notice.objects.get(kind="offer.reminder")
    assert (notice.vendor_id, notice.subject, notice.facts["job"]) == (sellers[0].vendor_id, offer.pk, "Animals")


@pytest.mark.parametrize("state", ["declined", "past"])
def test_nobody_is_reminded_of_what_is_over(sellers, state):
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(sellers[0])
    Offer.objects.update(remind_at=timezone.now())
    if state == "declined":
        offers.decline(actor=sellers[0].actor, offer_id=offer.pk, reason="other")
    else:
        Offer.objects.update(created_at=ago(90), expires_at=ago(1))
    assert reminders.send_due() == 0


def test_many_sweepers_remind_and_ping_each_thing_once(sellers):
    market.job(market.customer(), n_records=60, min_overlap=1)
    offering.advance()
    Offer.objects.update(remind_at=timezone.now())
    barrier, errors = threading.Barrier(4), []

    def run() -> None:
        try:
            barrier.wait(10)
            for _ in range(5):
                reminders.send_due(limit=3)
                outbox.relay()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    close_old_connections()
    assert errors == []
    reminders.send_due()
    assert told("offer.reminder") == Offer.objects.filter(state="live").count() == 10
    assert len(set(Notice.objects.filter(kind="offer.reminder").values_list("subject", flat=True))) == 10
    assert RoutingEvent.objects.filter(kind="offer.reminded").count() == 10


def test_a_vendor_that_does_not_start_is_pinged_then_loses_the_work(sellers):
    market.job(market.customer(), min_overlap=1, n_gold=0)
    assignment = accepted(sellers[0])
    grace = assignment.lapse_at - assignment.start_due_at
    assert grace.total_seconds() == pytest.approx(90)  # the deadline comes before the 900 s of grace are over
    Assignment.objects.update(start_due_at=timezone.now())
    sweeper.sweep()
    sweeper.sweep()
    assignment.refresh_from_db()
    assert assignment.state == "reserved"
    assert assignment.pinged_at is not None
    assert told("work.not_started") == 1
    Assignment.objects.update(lapse_at=timezone.now())
    sweeper.sweep()
    assignment.refresh_from_db()
    assert (assignment.state, assignment.reason) == ("failed", "not_started")
    assert failures(sellers[0])
    assert market.live_offer(sellers[1]) is not None


def test_work_may_still_be_started_within_the_grace(sellers):
    market.job(market.customer(), min_overlap=1)
    assignment = accepted(sellers[0])
    Assignment.objects.update(start_due_at=ago(1))
    sweeper.sweep()
    annotations.submit(
        actor=sellers[0].actor, assignment_id=assignment.pk, answers=market.answers_of(assignment, limit=1)
    )
    assignment.refresh_from_db()
    assert assignment.state == "started"


@pytest.mark.parametrize("when", ["before the ping", "within the grace", "once begun"])
def test_giving_back_counts_only_once_work_has_begun(sellers, when):
    market.job(market.customer(), min_overlap=1)
    assignment = accepted(sellers[0])
    if when == "within the grace":
        Assignment.objects.update(start_due_at=ago(1))
        sweeper.sweep()
    if when == "once begun":
        some = market.answers_of(assignment, limit=1)
        annotations.submit(actor=sellers[0].actor, assignment_id=assignment.pk, answers=some)
    assignments.release(actor=sellers[0].actor, assignment_id=assignment.pk, reason="ill")
    assert failures(sellers[0]) == (when == "once begun")
    assert RoutingEvent.objects.get(kind="assignment.failed").facts["is_counted"] == (when == "once begun")
    assert market.live_offer(sellers[1]) is not None


def test_the_deadline_is_warned_of_once(sellers):
    market.job(market.customer(), min_overlap=1)
    assignment = accepted(sellers[0])
    passed = (assignment.warn_at - assignment.created_at) / (assignment.due_at - assignment.created_at)
    assert passed == pytest.approx(0.8, abs=0.01)
    Assignment.objects.update(warn_at=timezone.now())
    sweeper.sweep()
    sweeper.sweep()
    assert told("work.deadline_near") == 1
