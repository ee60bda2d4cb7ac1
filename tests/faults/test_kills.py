"""Processes die at any statement, two sweepers run, clocks are wrong: nothing is lost, nothing is doubled."""

import datetime

import pytest
import time_machine

from benchmarks.races import audit, crowd, invariants, world
from benchmarks.races.crowd import Plan
from common.errors import ConflictError
from marketplace.models import Offer, RoutingEvent
from marketplace.services import offering, offers, sweeper
from tests import market
from tests.faults import worlds

pytestmark = pytest.mark.django_db(transaction=True)


def test_processes_killed_at_any_statement_lose_and_double_nothing(tmp_path):
    """Four deciders and two sweepers, each killed after some 150 statements and from outside; no broker at all."""
    sellers = world.make_sellers(8)
    world.open_market(300)
    plan = Plan(seconds=8.0, statements_per_death=150.0, seconds_per_kill=0.5, n_lapsing=20, seed=7)
    story = crowd.run(plan, tmp_path)
    assert audit.findings(story) == []
    decided = audit.decisions()
    assert story.n_deaths >= 10
    assert min(decided[state] for state in ("accepted", "declined", "expired", "withdrawn")) > 0
    goes_on(sellers)


def goes_on(sellers):
    """After the deaths, whoever comes next finds all that is due: each batch is on offer, with a vendor, or waits."""
    worlds.pass_time()
    worlds.execute(
        "UPDATE marketplace_offer SET created_at = created_at - interval '1 day', "
        "expires_at = statement_timestamp() WHERE state = 'live'"
    )
    before = RoutingEvent.objects.filter(kind="offer.made").count()
    while offering.expire():
        pass
    sweeper.sweep()
    assert invariants.violations(is_strict=True) == []
    assert RoutingEvent.objects.filter(kind="offer.made").count() > before
    offer = Offer.objects.filter(state="live").first()
    assert offers.accept(actor=sellers[offer.vendor_id].actor, offer_id=offer.pk).offer_id == offer.pk


@pytest.mark.parametrize("hours", [-48, 48])
def test_the_clock_of_an_application_host_decides_nothing(hours, fast_market):
    """Two days off, either way: live offers can be accepted, offers that ran out cannot, nothing expires early."""
    sellers = worlds.sellers(2)
    market.job(worlds.rich_customer(), n_records=12, min_overlap=1, max_overlap=1)
    with time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours), tick=True):
        sweeper.sweep()
        assert offering.expire() == 0
        first, second = Offer.objects.filter(state="live").order_by("pk")
        by_vendor = {one.vendor_id: one.actor for one in sellers}
        offers.accept(actor=by_vendor[first.vendor_id], offer_id=first.pk)
        worlds.lapse_offer(second.pk)
        with pytest.raises(ConflictError) as refused:
            offers.accept(actor=by_vendor[second.vendor_id], offer_id=second.pk)
        assert refused.value.code == "offer_expired"
        assert [str(one) for one in invariants.violations()] == []
        worlds.finish(sellers, [])
    assert [str(one) for one in invariants.violations()] == []
