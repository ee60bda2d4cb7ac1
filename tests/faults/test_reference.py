"""The sweeper's two statements do what the reference does, row by row, on random worlds (invariant 15)."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.races import invariants
from common.clock import database_now
from common.errors import ConflictError
from marketplace.core.routing import Weights
from marketplace.models import Batch, Job, Offer
from marketplace.services import offering, offers, sweeper
from tests import market
from tests.faults import reference, worlds

pytestmark = pytest.mark.django_db(transaction=True)

moves = st.lists(
    st.tuples(st.sampled_from(["accept", "decline", "lapse", "full", "away", "sweep", "poor"]), st.integers(0, 99)),
    min_size=1,
    max_size=10,
)


def test_the_statements_do_what_the_reference_does(fast_market):
    sellers = worlds.sellers(4, max_concurrent=2)

    @given(moves=moves, n=st.integers(1, 9), wave=st.integers(1, 3), most=st.integers(1, 5))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def compare(moves, n, wave, most):
        worlds.forget_jobs()
        worlds.execute("UPDATE vendors_capacitywindow SET is_accepting = true, slots = 2")
        market.job(
            worlds.rich_customer(),
            n_records=n,
            batch_size=3,
            min_overlap=1,
            max_overlap=1,
            wave_size=wave,
            weights=Weights.of("speed" if wave > 1 else "cost"),
            max_offers=most,
            max_rounds=2,
        )
        for move, pick in moves:
            play(sellers, move, pick)
        one_sweep_is_as_the_reference_says()

    compare()


def play(sellers, move, pick):
    one, live = sellers[pick % len(sellers)], list(Offer.objects.filter(state="live").order_by("pk"))
    offer = live[pick % len(live)] if live else None
    actor = next((s.actor for s in sellers if offer and s.vendor_id == offer.vendor_id), None)
    if move == "full":
        worlds.execute(
            "UPDATE vendors_capacitywindow SET slots = greatest(in_flight, 1) WHERE vendor_id = %s", one.vendor_id
        )
    elif move == "away":
        worlds.execute("UPDATE vendors_capacitywindow SET is_accepting = false WHERE vendor_id = %s", one.vendor_id)
    elif move == "poor":
        Job.objects.update(budget_micro=10**6)
    elif offer is None or move == "sweep":
        worlds.pass_time()
        sweeper.sweep()
    elif move == "lapse":
        worlds.lapse_offer(offer.pk)
    else:
        decide(move, actor, offer)


def decide(move, actor, offer):
    with suppress(ConflictError):  # too late, full, or the budget is gone: refused as it should be
        if move == "accept":
            offers.accept(actor=actor, offer_id=offer.pk)
        else:
            offers.decline(actor=actor, offer_id=offer.pk, reason="other")


def one_sweep_is_as_the_reference_says():
    worlds.pass_time()
    closed = reference.expire(database_now())
    offering.expire()
    ids = [row[0] for row in closed]
    assert set(Offer.objects.filter(pk__in=ids).values_list("pk", "state", "reason")) == closed
    before = set(Offer.objects.values_list("pk", flat=True))
    made, states = reference.advance()
    offering.advance()
    fresh = Offer.objects.exclude(pk__in=before)
    assert set(fresh.values_list("batch_id", "vendor_id", "sequence", "round", "price_micro")) == made
    assert dict(Batch.objects.filter(pk__in=states).values_list("pk", "state")) == states
    assert [str(one) for one in invariants.violations()] == []
