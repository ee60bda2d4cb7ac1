"""The life of an offer: ranking, accept, decline, expiry, fallback, escalation."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.errors import CapacityExhaustedError, OfferClosedError, OfferExpiredError, VendorNotAdmittedError
from marketplace.models import Assignment, Batch, Offer, RoutingEvent
from marketplace.services import offering, offers, routing, sweeper
from tests import market
from vendors.models import CapacityWindow, RatioPosterior, Vendor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world():
    market.gold_set()
    return [market.seller(price) for price in (30_000, 40_000, 50_000)]


def expire_all() -> None:
    Offer.objects.filter(state="live").update(
        created_at=timezone.now() - timezone.timedelta(seconds=99), expires_at=timezone.now()
    )


def test_offers_go_to_the_best_candidate_first(world):
    job = market.job(market.customer(), min_overlap=1)
    assert market.live_offer(world[0]) is not None
    assert market.live_offer(world[1]) is None
    assert Batch.objects.get(job=job).state == "offering"


def test_layers_of_a_chunk_go_to_different_vendors(world):
    market.job(market.customer(), min_overlap=2)
    offering.advance()
    live = Offer.objects.filter(state="live")
    assert {offer.vendor_id for offer in live} == {world[0].vendor_id, world[1].vendor_id}


def test_a_vendor_without_qualification_or_signature_is_never_offered_anything(world):
    unqualified = market.applicant(1_000)
    job = market.job(market.customer(), min_overlap=1)
    rows = {facts.vendor_id: row for facts, row in routing.preview(job, 6)}
    assert rows[unqualified.vendor_id].sequence is None
    assert "not yet admitted" in rows[unqualified.vendor_id].exclusion
    for _ in range(4):
        offering.advance()
        expire_all()
        offering.expire()
    assert not Offer.objects.filter(vendor_id=unqualified.vendor_id).exists()


def test_accept_assigns_once_and_asked_again_returns_the_same(world):
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(world[0])
    first = offers.accept(actor=world[0].actor, offer_id=offer.pk)
    again = offers.accept(actor=world[0].actor, offer_id=offer.pk)
    assert first.pk == again.pk
    assert Assignment.objects.count() == 1
    assert CapacityWindow.objects.get(vendor_id=world[0].vendor_id).in_flight == 1


def test_a_late_accept_is_refused_though_no_sweeper_ran(world):
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(world[0])
    expire_all()
    with pytest.raises(OfferExpiredError):
        offers.accept(actor=world[0].actor, offer_id=offer.pk)
    assert not Assignment.objects.exists()
    offer.refresh_from_db()
    assert offer.state == "live"


def test_silence_hands_the_batch_to_the_next_candidate_and_is_remembered(world):
    market.job(market.customer(), min_overlap=1)
    market.live_offer(world[0])
    expire_all()
    assert offering.expire() == 1
    assert market.live_offer(world[1]) is not None
    belief = RatioPosterior.objects.get(capability_id=world[0].capability_id, metric="acceptance")
    assert 0.5 <= belief.failures < 1.0
    assert (belief.n_observed, belief.p_away) == (1, pytest.approx(0.345, abs=0.001))


def test_a_decline_hands_on_at_once_and_weighs_less_than_silence(world):
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(world[0])
    offers.decline(actor=world[0].actor, offer_id=offer.pk, reason="no_capacity")
    assert market.live_offer(world[1]) is not None
    assert RatioPosterior.objects.get(capability_id=world[0].capability_id, metric="acceptance").failures == 0.5
    assert offers.decline(actor=world[0].actor, offer_id=offer.pk, reason="no_capacity").state == "declined"
    with pytest.raises(OfferClosedError):
        offers.accept(actor=world[0].actor, offer_id=offer.pk)


def test_rounds_end_in_escalation_after_the_last_one(world):
    job = market.job(market.customer(), min_overlap=1, max_rounds=2)
    for _ in range(8):
        sweeper.sweep()
        expire_all()
    sweeper.sweep()
    batch = Batch.objects.get(job=job)
    assert (batch.state, batch.round, batch.reason) == ("escalated", 2, "candidates_exhausted")
    order = list(Offer.objects.filter(batch=batch).order_by("pk").values_list("round", "vendor_id"))
    assert len(order) == 6
    assert len(set(order)) == 6
    kinds = RoutingEvent.objects.filter(batch=batch).values_list("kind", flat=True)
    assert list(kinds).count("offer.expired") == 6


def test_a_full_vendor_keeps_its_offer_but_cannot_accept(world):
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(world[0])
    CapacityWindow.objects.filter(vendor_id=world[0].vendor_id).update(slots=1, in_flight=1)
    with pytest.raises(CapacityExhaustedError):
        offers.accept(actor=world[0].actor, offer_id=offer.pk)
    offer.refresh_from_db()
    assert offer.state == "live"


def test_a_vendor_suspended_after_the_offer_cannot_accept(world):
    market.job(market.customer(), min_overlap=1)
    offer = market.live_offer(world[0])
    Vendor.objects.filter(pk=world[0].vendor_id).update(state="suspended")
    with pytest.raises(VendorNotAdmittedError):
        offers.accept(actor=world[0].actor, offer_id=offer.pk)


def test_the_budget_is_a_wall(world):
    job = market.job(market.customer(), min_overlap=1)
    type(job).objects.filter(pk=job.pk).update(budget_micro=100_000)
    sweeper.sweep()
    assert not Offer.objects.exists()
    job.refresh_from_db()
    assert job.committed_micro == 0


def test_one_sweep_costs_the_same_number_of_queries_for_many_batches(world, django_assert_max_num_queries):
    market.job(market.customer(), n_records=120, min_overlap=1)
    with django_assert_max_num_queries(3):
        made = offering.advance()
    assert len(made) == 20
    expire_all()
    with django_assert_max_num_queries(4):
        assert offering.expire() == 20


def test_posting_many_records_costs_the_same_number_of_queries(world):
    counts = []
    for n_records in (60, 600):
        with CaptureQueriesContext(connection) as queries:
            # Where accuracy matters most no batch is kept for newcomers, which would cost one more ranking.
            market.job(market.customer(), n_records=n_records, min_overlap=2, weights=market.Weights.of("accuracy"))
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 2  # long inserts are cut into a few statements
    assert Batch.objects.filter(state="offering").count() == 220
