"""Quotes from the market as it stands, kept with the lot, and vendors named that cannot be meant."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.errors import NotFoundError, ValidationFailedError
from common.ids import uuid7
from marketplace.core.routing import Weights
from marketplace.models import Job, JobQuote, Lot
from marketplace.services import forecasts, jobs, quotes, vetting
from marketplace.services.jobs import JobTerms
from tests import market
from vendors.models import CapacityWindow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (40_000, 50_000, 60_000)]


def asked(actor, n_records=60, **terms):
    schema = jobs.create_schema(actor=actor, name=f"s{uuid7()}", task_type="classification", classes=market.CLASSES)
    stated = {
        "title": "",
        "instructions": "",
        "modality": "image",
        "budget_micro": 10**12,
        "weights": Weights.of("cost"),
    }
    return quotes.quote(
        actor=actor,
        label_schema_id=schema.pk,
        terms=JobTerms(**(stated | terms)),
        n_records=n_records,
        has_gold=True,
        due_in_s=terms.pop("due_in_s", 10.0**7),
    )


def test_a_quote_lies_between_the_prices_of_who_may_take_it(sellers):
    told = asked(market.customer(), min_overlap=1, max_overlap=1)
    assert told.n_eligible == 3
    low, high = (60 * 1.1 * price * 1.1 for price in (40_000, 60_000))
    assert low <= told.quote.price_micro.low <= told.quote.price_micro.high <= high
    assert told.quote.answers == pytest.approx(1)
    assert told.on_time == 1
    assert 0 < told.quote.eta_s.low < told.quote.eta_s.high
    assert told.obstacles == ()


def test_equal_questions_get_equal_answers_and_nothing_is_stored(sellers):
    customer = market.customer()
    assert asked(customer) == asked(customer)
    assert not Job.objects.exists()
    assert not JobQuote.objects.exists()


def test_a_quote_asks_no_more_queries_for_more_vendors(sellers):
    customer, counts = market.customer(), []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            asked(customer)
        counts.append(len(queries))
        market.seller()
    assert counts[0] == counts[1] <= 32


def test_an_infeasible_job_gets_the_nearest_change_instead(sellers):
    told = asked(market.customer(), max_price_micro=10_000)
    assert told.quote is None
    assert [(o.field, o.nearest) for o in told.obstacles] == [("max_price_micro", 40_000)]


def test_a_market_without_vendors_promises_nothing():
    told = asked(market.customer())
    assert (told.n_eligible, told.quote.price_micro, told.quote.fill.probability) == (0, None, 0.0)


def test_only_the_own_schema_is_quoted(sellers):
    mine = jobs.create_schema(actor=market.customer(), name="s", task_type="classification", classes=market.CLASSES)
    terms = JobTerms("", "", "image", 10**9, Weights.of("cost"))
    with pytest.raises(NotFoundError):
        quotes.quote(
            actor=market.customer(), label_schema_id=mine.pk, terms=terms, n_records=5, has_gold=False, due_in_s=None
        )


@pytest.mark.parametrize("n_records", [0, 100_001])
def test_the_number_of_records_has_limits(sellers, n_records):
    with pytest.raises(ValidationFailedError) as caught:
        asked(market.customer(), n_records=n_records)
    assert caught.value.errors[0]["field"] == "n_records"


def test_a_posted_job_keeps_what_was_told_and_it_is_held_against_what_came(sellers):
    customer = market.customer()
    job = market.job(customer, min_overlap=1, max_overlap=1)
    kept = JobQuote.objects.get(lot__job=job)
    assert kept.price_low_micro <= kept.price_micro <= kept.price_high_micro
    assert kept.n_eligible == 3
    assert forecasts.store(Lot.objects.get(job=job), has_gold=True).pk == kept.pk
    assert forecasts.held(actor=customer).n_lots == 0
    market.work(sellers[0])
    vetting.vet_lot(lot_id=kept.lot_id)
    with CaptureQueriesContext(connection) as queries:
        found = forecasts.held(actor=customer)
    assert len(queries) == 2
    assert (found.n_lots, found.n_in_price) == (1, 1)
    assert found.n_in_time == 0  # done at once, which nobody would have foretold
    assert forecasts.held(actor=market.customer()).n_lots == 0


def refusal(**terms):
    with pytest.raises(ValidationFailedError) as caught:
        market.job(market.customer(), **terms)
    assert not Job.objects.exists()
    return [(error["field"], error["code"]) for error in caught.value.errors], caught.value.detail


def test_a_pinned_vendor_that_cannot_be_asked_is_refused_with_the_reason(sellers):
    ids = [one.vendor_id for one in sellers]
    errors, detail = refusal(pinned_vendors=(ids[0], ids[2]), max_price_micro=55_000)
    assert errors == [("pinned_vendors[1]", "not_eligible")]
    assert "is above the limit" in detail
    assert "Take it off the list" in detail
    CapacityWindow.objects.filter(vendor=ids[1]).update(is_accepting=False)
    errors, detail = refusal(pinned_vendors=(ids[1],))
    assert (errors, "switched itself to unavailable" in detail) == ([("pinned_vendors[0]", "not_eligible")], True)


def test_vendors_named_by_mistake_are_refused(sellers):
    ids, stranger = [one.vendor_id for one in sellers], uuid7()
    assert refusal(pinned_vendors=(stranger,))[0] == [("pinned_vendors[0]", "unknown_vendor")]
    assert refusal(denied_vendors=(ids[0], stranger))[0] == [("denied_vendors[1]", "unknown_vendor")]
    assert refusal(pinned_vendors=(ids[0], ids[0]))[0] == [("pinned_vendors[1]", "duplicate")]
    assert refusal(pinned_vendors=(ids[0],), denied_vendors=(ids[0],))[0] == [("pinned_vendors[0]", "denied")]
    assert refusal(is_manual=True)[0] == [("pinned_vendors", "required")]
    assert refusal(denied_vendors=tuple(ids))[0] == [("denied_vendors", "excludes_everybody")]
