"""A vendor's pages: decide on offers, label, give back, switch offers off."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.clock import database_now
from common.ids import to_public
from marketplace.models import Annotation, Notice, Offer
from marketplace.services import offering
from tests import market
from tests.portal import world
from vendors.models import CapacityWindow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here():
    return world.make()


def offer_url(offer: Offer, verb: str) -> str:
    return f"/offers/{offer.public_id}/{verb}/"


def test_accepting_opens_the_work(here):
    client = world.signed_in(here.seller.actor)
    assert here.job.title in client.get("/inbox/").content.decode()
    answer = client.post(offer_url(here.offer, "accept"), follow=True)
    assert answer.redirect_chain[0][0].startswith("/work/asg_")
    assert "Accepted. The work is yours" in answer.content.decode()
    again = client.post(offer_url(here.offer, "accept"))
    assert again.url == answer.redirect_chain[0][0]


def test_declining_needs_a_reason_and_hands_on(here):
    client = world.signed_in(here.seller.actor)
    answer = client.post(offer_url(here.offer, "decline"), {"reason": ""})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="reason-{here.offer.public_id}_error"><ul><li>Choose why' in text
    assert client.post(offer_url(here.offer, "decline"), {"reason": "no_capacity"}).url == "/inbox/"
    here.offer.refresh_from_db()
    assert (here.offer.state, here.offer.reason) == ("declined", "no_capacity")


def test_a_late_accept_is_told_why_it_failed(here):
    early = database_now() - datetime.timedelta(hours=1)
    Offer.objects.filter(pk=here.offer.pk).update(created_at=early, expires_at=early + datetime.timedelta(seconds=1))
    client = world.signed_in(here.seller.actor)
    answer = client.post(offer_url(here.offer, "accept"), follow=True)
    assert "The time to accept this offer has run out" in answer.content.decode()


def test_availability_is_switched_and_its_errors_stand_beside_the_field(here):
    client = world.signed_in(here.rival.actor)
    assert client.post("/inbox/availability/", {"slots": "3"}).url == "/inbox/"
    here.rival.vendor.capacity.refresh_from_db()
    assert not here.rival.vendor.capacity.is_accepting
    assert "switched offers off" in client.get("/inbox/").content.decode()
    answer = client.post("/inbox/availability/", {"slots": "0"})
    assert answer.status_code == 422
    assert 'id="id_slots_error"' in answer.content.decode()


def test_labels_are_saved_in_parts_and_the_last_delivers(here):
    client = world.signed_in(here.rival.actor)
    url = f"/work/{here.assignment.public_id}/"
    items = list(here.assignment.items.select_related("record", "gold").order_by("position"))
    nothing = client.post(f"{url}answers/")
    assert (nothing.status_code, "Answer at least one record" in nothing.content.decode()) == (422, True)
    first = {to_public("itm", items[0].pk): "cannot:corrupted"}
    assert client.post(f"{url}answers/", first).url == url
    assert "1 of " in client.get(url).content.decode()
    right = {
        to_public("itm", item.pk): f"class:{market.CLASSES.index(market.truth((item.record or item.gold).key))}"
        for item in items[1:]
    }
    text = client.post(f"{url}answers/", right, follow=True).content.decode()
    assert "The batch is delivered and goes to vetting." in text
    here.assignment.refresh_from_db()
    assert here.assignment.state == "submitted"
    assert Annotation.objects.filter(assignment=here.assignment, is_current=True).count() == len(items)


def test_an_unknown_class_is_refused_beside_its_record(here):
    client = world.signed_in(here.rival.actor)
    item = here.assignment.items.order_by("position").first()
    answer = client.post(f"/work/{here.assignment.public_id}/answers/", {item.public_id: "class:99"})
    assert answer.status_code == 422
    assert "Select a valid choice" in answer.content.decode()


def test_gold_looks_like_any_record(here):
    client = world.signed_in(here.rival.actor)
    text = client.get(f"/work/{here.assignment.public_id}/").content.decode()
    n_gold = here.assignment.items.filter(record=None).count()
    assert n_gold > 0
    assert text.count('<fieldset class="record"') == here.assignment.items.count()


def test_work_is_given_back_with_a_reason(here):
    client = world.signed_in(here.rival.actor)
    url = f"/work/{here.assignment.public_id}/release/"
    assert client.post(url).status_code == 422
    text = client.post(url, {"reason": "too hard"}, follow=True).content.decode()
    assert "Given back" in text
    here.assignment.refresh_from_db()
    assert (here.assignment.state, here.assignment.reason) == ("failed", "too hard")


def test_the_inbox_costs_the_same_queries_for_any_number_of_offers(here):
    client = world.signed_in(here.seller.actor)
    CapacityWindow.objects.filter(vendor_id=here.rival.vendor_id).update(is_accepting=False)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/inbox/")
        counts.append(len(queries))
        market.job(here.customer, min_overlap=1, n_records=18)
        offering.advance()
    assert Offer.objects.filter(vendor_id=here.seller.vendor_id, state="live").count() > 1
    assert counts[0] == counts[1] <= 12


def test_the_scorecard_shows_intervals(here):
    text = world.signed_in(here.seller.actor).get("/scorecard/").content.decode()
    assert "likely" in text
    assert '<rect class="band"' in text


def test_hours_are_stated_shown_and_dropped(here):
    client = world.signed_in(here.seller.actor)
    assert "offers come at any time" in client.get("/hours/").content.decode()
    week = {"mon": "09:00-12:00, 13:00-24:00", "tue": "00:00-06:00"}
    stated = {"time_zone": "Europe/Berlin", "closures": "2100-12-24 to 2100-12-26\n2100-01-01"} | week
    assert client.post("/hours/save/", stated).url == "/hours/"
    text = client.get("/hours/").content.decode()
    assert 'value="09:00-12:00, 13:00-24:00"' in text
    assert "2100-12-24 to 2100-12-26" in text
    assert 'value="Europe/Berlin" selected' in text
    assert here.seller.vendor.capacity.keeps_hours
    assert client.post("/hours/save/", {"always": "1"}).url == "/hours/"
    assert not here.seller.vendor.capacity.keeps_hours


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"mon": "9-17"}, "mon", "Write hours as 09:00-17:00"),
        ({"mon": "22:00-06:00"}, "", "two stretches"),
        ({}, "", "at least one weekday"),
        ({"mon": "09:00-17:00", "closures": "Christmas"}, "closures", "Write a day as 2026-12-24"),
        ({"mon": "09:00-17:00", "closures": "2100-12-26 to 2100-12-24"}, "closures", "ends before it begins"),
        ({"mon": "09:00-17:00", "time_zone": "Mars"}, "time_zone", "valid choice"),
    ],
)
def test_hours_that_make_no_sense_are_refused_beside_their_field(here, given, field, words):
    client = world.signed_in(here.seller.actor)
    answer = client.post("/hours/save/", {"time_zone": "UTC"} | given)
    text = answer.content.decode()
    assert (answer.status_code, words in text) == (422, True)
    assert not field or f'id="id_{field}_error"' in text


def test_a_missed_offer_can_still_be_asked_for_and_news_are_read(here):
    early = database_now() - datetime.timedelta(hours=1)
    Offer.objects.filter(pk=here.offer.pk).update(created_at=early, expires_at=early + datetime.timedelta(seconds=1))
    offering.expire()
    Notice.objects.create(
        vendor_id=here.seller.vendor_id, kind="batch.back", subject=here.batch.pk, facts={"job": "Birds", "place": 1}
    )
    client = world.signed_in(here.seller.actor)
    text = client.get("/inbox/").content.decode()
    assert "We still want it" in text
    assert "Birds, which you were late for, is back on offer; you are number 2 in the new ranking." in text
    assert client.post(offer_url(here.offer, "interest")).url == "/inbox/"
    text = client.get("/inbox/").content.decode()
    assert "You have said that you still want it." in text
    assert "We still want it" not in text
