"""A customer's pages: post a job by its ranking, follow it, decide when nobody takes a batch."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.ids import to_public
from marketplace.models import Batch, Job, LabelSchema
from marketplace.services import offering
from tests import market
from tests.portal import world
from tests.services.marketplace.test_statements import a_paid_job, fill
from vendors.services import onboarding

pytestmark = pytest.mark.django_db(transaction=True)

FORM = {
    "task_type": "classification",
    "title": "Animals at night",
    "instructions": "Say what it is.",
    "classes": "cat\ndog\nbird",
    "records": "r-1, https://example.org/1.png\nr-2",
    "gold": "g-1, cat\ng-2, -",
    "priority": "speed",
    "modality": "image",
    "batch_size": "20",
    "min_overlap": "1",
    "max_overlap": "2",
    "max_price": "0.08",
    "min_accuracy": "",
    "budget": "25.50",
    "currency": "USD",
    "data_class": "public",
    "wave_size": "1",
    "review_hours": "72",
    "is_splittable": "on",
    "action": "post",
}


def ven(seller: market.Seller) -> str:
    return to_public("ven", seller.vendor_id)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(), market.seller(60_000), market.seller(90_000)]


@pytest.fixture
def client():
    return world.signed_in(market.customer())


def test_a_job_is_posted_with_pins_priority_and_limits(client, sellers):
    pins = {f"pin-{ven(sellers[1])}": "1", f"pin-{ven(sellers[0])}": "2", f"deny-{ven(sellers[2])}": "1"}
    answer = client.post("/jobs/new/", FORM | pins)
    job = Job.objects.get()
    assert answer.url == f"/jobs/{job.public_id}/"
    assert job.pinned_vendors == [sellers[1].vendor_id, sellers[0].vendor_id]
    assert job.denied_vendors == [sellers[2].vendor_id]
    assert (job.max_price_micro, job.budget_micro, job.weight_speed) == (80_000, 25_500_000, 0.7)
    assert list(job.records.order_by("position").values_list("key", "uri")) == [
        ("r-1", "https://example.org/1.png"),
        ("r-2", ""),
    ]
    assert list(job.gold.order_by("key").values_list("key", "label")) == [("g-1", 0), ("g-2", -1)]


def test_equal_classes_share_one_schema(client, sellers):
    for _ in range(2):
        assert client.post("/jobs/new/", FORM).status_code == 302
    assert client.post("/jobs/new/", FORM | {"classes": "cat\ndog", "gold": ""}).status_code == 302
    assert LabelSchema.objects.count() == 2
    assert Job.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"title": ""}, "title", "This field is required."),
        ({"classes": "cat"}, "classes", "a list of 2 to"),
        ({"records": "a, b, c\nok"}, "records", "Line 1: write key, address; found 3 parts."),
        ({"records": "same\nsame"}, "records", "stands at 0 and 1"),
        ({"gold": "g, horse"}, "gold", "is not one of the classes"),
        ({"gold": "g, cat\ng, dog"}, "gold", "key of its own"),
        ({"budget": "-1"}, "budget", "greater than or equal to 0.01"),
        ({"max_price": "0"}, "max_price", "greater than or equal to"),
        ({"min_accuracy": "101"}, "min_accuracy", "less than or equal to 100"),
        ({"max_overlap": "1", "min_overlap": "2"}, "max_overlap", "less than at least 2"),
        ({"batch_size": "0"}, "batch_size", "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(client, sellers, change, field, words):
    answer = client.post("/jobs/new/", FORM | change)
    text = answer.content.decode()
    assert answer.status_code == 422
    beside = text.partition(f'id="id_{field}_error"')[2].partition("</ul>")[0]
    assert words in beside
    assert not Job.objects.exists()
    kept = dict(FORM | change)["instructions"]
    assert kept in text


@pytest.mark.parametrize(
    ("pins", "words"),
    [
        (["1", "1"], "Two vendors have the same place"),
        (["first", ""], "A place is a number from 1 to 1000"),
        (["0", ""], "A place is a number from 1 to 1000"),
    ],
)
def test_wrong_pins_are_told(client, sellers, pins, words):
    given = {f"pin-{ven(seller)}": pin for seller, pin in zip(sellers, pins, strict=False)}
    answer = client.post("/jobs/new/", FORM | given)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert not Job.objects.exists()


def test_a_pinned_vendor_of_other_work_is_refused(client, sellers):
    stranger = to_public("ven", market.customer().organization_id)
    answer = client.post("/jobs/new/", FORM | {f"pin-{stranger}": "1"})
    assert "does not do this kind of work" in answer.content.decode()
    garbled = client.post("/jobs/new/", FORM | {"pin-nobody": "1"})
    assert "is unknown; load the page again" in garbled.content.decode()


def test_the_ranking_follows_the_form(client, sellers):
    part = client.post("/jobs/new/", FORM | {"action": "part", "title": ""}).content.decode()
    assert "<html" not in part
    assert "2 of 3 can be asked" in part
    assert "Price 0.0900 is above the limit 0.0800." in part
    assert "costs 0.055 USD to 0.066 USD" in part
    pinned = client.post("/jobs/new/", FORM | {"action": "part", f"pin-{ven(sellers[1])}": "1"}).content.decode()
    assert f"1. {sellers[1].vendor.name}" in pinned
    page = client.post("/jobs/new/", FORM | {"action": "preview"}).content.decode()
    assert "Animals at night" in page
    assert "This field is required" not in page
    manual = client.post("/jobs/new/", FORM | {"action": "part", "is_manual": "on"}).content.decode()
    assert "Nobody can be asked" in manual


def test_the_quote_stands_beside_the_form_and_follows_it(client, sellers):
    part = client.post("/jobs/new/", FORM | {"action": "part"}).content.decode()
    assert "What to expect" in part
    assert "For 2 records;" in part
    assert "<polyline points=" in part
    guessed = client.post("/jobs/new/", FORM | {"action": "part", "records": ""}).content.decode()
    assert "For 100 records, until you list yours" in guessed


def test_what_cannot_be_done_is_put_right_by_one_click(client, sellers):
    part = client.post("/jobs/new/", FORM | {"action": "part", "max_price": "0.01"}).content.decode()
    assert "This cannot be done as it stands." in part
    assert 'value="fix:max_price:0.05"' in part
    page = client.post("/jobs/new/", FORM | {"max_price": "0.01", "action": "fix:max_price:0.05"}).content.decode()
    assert 'name="max_price" value="0.05"' in page
    assert "Price with fees" in page
    poor = client.post("/jobs/new/", FORM | {"action": "part", "budget": "0.01"}).content.decode()
    assert "Raise the budget to" in poor
    assert not Job.objects.exists()


def test_an_own_mix_of_weights_counts_by_proportion(client, sellers):
    mix = {"priority": "own", "weight_cost": "20", "weight_speed": "20", "weight_accuracy": "40"}
    assert client.post("/jobs/new/", FORM | mix).status_code == 302
    assert (Job.objects.get().weight_cost, Job.objects.get().weight_accuracy) == (0.25, 0.5)
    nothing = client.post("/jobs/new/", FORM | mix | dict.fromkeys(list(mix)[1:], "0"))
    assert (nothing.status_code, "All three sliders are at 0" in nothing.content.decode()) == (422, True)


def test_a_job_may_be_paid_in_another_currency(client, sellers):
    part = client.post("/jobs/new/", FORM | {"action": "part", "currency": "EUR"}).content.decode()
    assert "Nobody has a price in EUR" in part
    assert 'value="fix:currency:USD"' in part
    page = client.post("/jobs/new/", FORM | {"currency": "EUR", "action": "fix:currency:USD"}).content.decode()
    assert 'name="currency" value="USD"' in page
    wrong = client.post("/jobs/new/", FORM | {"currency": "euro"})
    assert (wrong.status_code, 'id="id_currency_error"' in wrong.content.decode()) == (422, True)
    euro = market.seller()
    onboarding.list_price(actor=euro.actor, capability_id=euro.capability_id, price_micro=40_000, currency="EUR")
    assert client.post("/jobs/new/", FORM | {"currency": "EUR"}).status_code == 302
    job = Job.objects.get()
    assert job.currency == "EUR"
    text = client.get(f"/jobs/{job.public_id}/").content.decode()
    assert "25.50 EUR" in text
    assert "USD" not in text


def test_previewing_stores_nothing_and_costs_the_same_for_more_vendors(client, sellers):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.post("/jobs/new/", FORM | {"action": "part"}).status_code == 200
        counts.append(len(queries))
        market.seller()
    assert counts[0] == counts[1] <= 36
    assert not LabelSchema.objects.exists()


def test_a_job_page_shows_its_batches_in_few_queries():
    here = world.make()
    client = world.signed_in(here.customer)
    counts = []
    for size in (6, 1):
        job = here.job if size == 6 else market.job(here.customer, batch_size=size)
        offering.advance()
        with CaptureQueriesContext(connection) as queries:
            text = client.get(f"/jobs/{job.public_id}/").content.decode()
        counts.append(len(queries))
        assert "Lot 1, batch 1, layer 1" in text
    assert counts[0] == counts[1] <= 15
    assert "data-countdown" in client.get(f"/jobs/{here.job.public_id}/").content.decode()


def test_the_chain_says_to_whom_and_why():
    here = world.make()
    client = world.signed_in(here.customer)
    text = client.get(f"/batches/{here.batch.public_id}/").content.decode()
    assert here.seller.vendor.name in text
    assert "of the usual price" in text
    with CaptureQueriesContext(connection) as queries:
        why = client.get(f"/batches/{here.batch.public_id}/why/").content.decode()
    assert len(queries) <= 8
    assert "failure risk" in why


def test_a_customer_decides_on_an_escalated_batch():
    market.gold_set()
    market.seller(90_000)
    customer = market.customer()
    job = market.stuck_job(customer)
    batch = Batch.objects.get(job=job)
    assert batch.state == "escalated"
    client = world.signed_in(customer)
    assert "1 batch" in client.get("/jobs/").content.decode()
    url = f"/batches/{batch.public_id}/"
    assert "Nobody took this batch" in client.get(url).content.decode()
    missing = client.post(f"{url}resolve/", {"choice": "raise_price"})
    beside = missing.content.decode().partition('id="id_max_price_error"')[2].partition("</ul>")[0]
    assert "Say how much a label may cost now." in beside
    assert client.post(f"{url}resolve/", {"choice": "raise_price", "max_price": "0.10"}).url == url
    job.refresh_from_db()
    assert job.max_price_micro == 100_000


def test_a_job_is_cancelled_once_and_for_all():
    here = world.make()
    client = world.signed_in(here.customer)
    for _ in range(2):
        text = client.post(f"/jobs/{here.job.public_id}/cancel/", follow=True).content.decode()
        assert "The job is cancelled" in text
    here.offer.refresh_from_db()
    assert here.offer.state == "withdrawn"


def test_labels_show_what_is_known():
    here = world.make()
    text = world.signed_in(here.customer).get(f"/jobs/{here.job.public_id}/labels/").content.decode()
    assert "record-0" in text


def test_a_bonus_is_given_and_pay_taken_back_on_the_page_of_the_batch(settings):
    settings.BILLING_ENABLED = True
    market.gold_set()
    _, actor, job = a_paid_job()
    fill(job.organization)
    batch = job.batches.get()
    page, work = f"/batches/{batch.public_id}/", batch.assignments.get()
    customer, staff = world.signed_in(actor), world.signed_in(market.staff())
    text = customer.get(page).content.decode()
    assert "<strong>0.30 USD</strong> for 6 labels by" in text
    assert "Take pay back" not in text
    refused = customer.post(f"{page}bonus/", {"amount": "0", "reason": "Fast."}, follow=True).content.decode()
    assert "greater than or equal to 0.01" in refused
    done = customer.post(f"{page}bonus/", {"amount": "0.25", "reason": "Fast."}, follow=True).content.decode()
    assert "Bonus: <strong>0.25 USD</strong>" in done
    assert "Give the bonus" not in done
    url = f"/work/{work.public_id}/take-back/"
    assert "Take pay back" in staff.get(page).content.decode()
    many = staff.post(url, {"n_labels": "7", "reason": "Copied."}, follow=True).content.decode()
    assert "6 of 6 paid labels can be taken back, not 7." in many
    done = staff.post(url, {"n_labels": "6", "reason": "Copied."}, follow=True).content.decode()
    assert "6 of them taken back" in done
    assert "Take pay back" not in done
