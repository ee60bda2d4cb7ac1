"""The chain of offers on a customer's pages: who was asked, why the batch moved on, who is next."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.clock import database_now
from marketplace.models import Assignment, Batch, Offer
from marketplace.selectors import chains
from marketplace.services import assignments, offering, offers
from tests import market
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (50_000, 60_000, 70_000, 80_000)]


@pytest.fixture
def customer(sellers):
    return market.customer()


def asked(batch: Batch) -> Offer:
    """Return the live offer of a batch, after the offers due have been made."""
    offering.advance()
    return Offer.objects.get(batch=batch, state="live")


def walked(sellers, customer) -> Batch:
    """Return a batch that one declined, one let run out, and one took and stalled on; the fourth is asked."""
    job = market.job(customer, min_overlap=1, max_overlap=1)
    batch = Batch.objects.get(job=job)
    by_id = {one.vendor_id: one for one in sellers}
    first = asked(batch)
    offers.decline(actor=by_id[first.vendor_id].actor, offer_id=first.pk, reason="price_too_low")
    second, early = asked(batch), database_now() - datetime.timedelta(hours=1)
    Offer.objects.filter(pk=second.pk).update(created_at=early, expires_at=early + datetime.timedelta(seconds=1))
    offering.expire()
    third = asked(batch)
    work = offers.accept(actor=by_id[third.vendor_id].actor, offer_id=third.pk)
    Assignment.objects.filter(pk=work.pk).update(lapse_at=early)
    assignments.sweep_timers()
    asked(batch)
    batch.refresh_from_db()
    return batch


def test_each_vendor_asked_stands_in_order_with_what_became_of_it(sellers, customer):
    batch = walked(sellers, customer)
    chain = chains.of_batch(customer, batch.pk)
    assert [one.number for one in chain.rounds] == [1]
    words = [step.words for step in chain.rounds[0].steps]
    assert "the price is too low" in words[0]
    assert "Did not answer in time" in words[1]
    assert "stalled" in words[2]
    assert chain.rounds[0].steps[2].is_stalled
    assert [step.is_live for step in chain.rounds[0].steps] == [False, False, False, True]
    text = world.signed_in(customer).get(f"/batches/{batch.public_id}/").content.decode()
    places = [text.index(one) for one in words]
    assert places == sorted(places)
    assert text.count("data-countdown") == 1
    assert "Nobody is left in this round after that" in text


def test_who_is_next_is_the_one_asked_next(sellers, customer):
    batch = Batch.objects.get(job=market.job(customer, min_overlap=1, max_overlap=1))
    for _ in range(3):
        live = asked(batch)
        batch.refresh_from_db()
        told = chains.of_batch(customer, batch.pk).next
        text = world.signed_in(customer).get(f"/batches/{batch.public_id}/").content.decode()
        assert f"Next, if the batch moves on: {told.vendor.name}" in text
        assert told.words in text
        seller = next(one for one in sellers if one.vendor_id == live.vendor_id)
        offers.decline(actor=seller.actor, offer_id=live.pk, reason="other")
        assert asked(batch).vendor_id == told.vendor_id
    assert chains.of_batch(customer, batch.pk).next is None


def test_a_vendor_of_another_layer_is_not_called_next(sellers, customer):
    market.job(customer, min_overlap=3)
    offering.advance()
    nexts = {chains.of_batch(customer, batch.pk).next.vendor_id for batch in Batch.objects.all()}
    live = set(Offer.objects.filter(state="live").values_list("vendor_id", flat=True))
    assert len(live) == 3
    assert nexts.isdisjoint(live)


def test_a_second_round_follows_the_first(sellers, customer):
    batch = Batch.objects.get(job=market.job(customer, min_overlap=1, max_overlap=1))
    by_id = {one.vendor_id: one for one in sellers}
    for _ in sellers:
        live = asked(batch)
        offers.decline(actor=by_id[live.vendor_id].actor, offer_id=live.pk, reason="no_capacity")
    offering.advance()
    batch.refresh_from_db()
    chain = chains.of_batch(customer, batch.pk)
    assert (batch.state, chain.rounds[0].is_over, len(chain.rounds[0].steps)) == ("waiting", True, 4)
    assert chain.next is None
    text = world.signed_in(customer).get(f"/batches/{batch.public_id}/").content.decode()
    assert "nobody took the batch to its end" in text


def test_the_parts_alone_cost_few_queries_and_stop_when_all_is_over(sellers, customer):
    client = world.signed_in(customer)
    counts = []
    for size in (6, 2):
        job = market.job(customer, batch_size=size)
        offering.advance()
        with CaptureQueriesContext(connection) as queries:
            part = client.get(f"/jobs/{job.public_id}/?part=1")
        counts.append(len(queries))
        assert (part.status_code, "<html" in part.content.decode()) == (200, False)
        assert "data-countdown" in part.content.decode()
        assert "Next, if the batch moves on" in part.content.decode()
    assert counts[0] == counts[1] <= 11
    batch = Batch.objects.latest("pk")
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/batches/{batch.public_id}/?part=1").status_code == 200
    assert len(queries) <= 9
    client.post(f"/jobs/{job.public_id}/cancel/")
    assert client.get(f"/batches/{batch.public_id}/?part=1").status_code == 286
    assert client.get(f"/jobs/{job.public_id}/?part=1").status_code == 286


def test_a_stranger_sees_no_chain(sellers, customer):
    batch = Batch.objects.get(job=market.job(customer, min_overlap=1, max_overlap=1))
    offering.advance()
    seen = chains.of_batches(market.customer(), [batch])[batch.pk]
    assert (seen.rounds, seen.next) == ((), None)
    assert chains.of_batch(customer, batch.pk).next is not None
