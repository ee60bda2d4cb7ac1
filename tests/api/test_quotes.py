"""Quotes over HTTP."""

import pytest

from tests.api import shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def seller(vendor, staff):
    """Return an admitted vendor."""
    shop.add_gold_set(staff)
    return shop.admit(staff, shop.apply_as_vendor(vendor))


def asked(customer, **change):
    body = shop.job_body(customer, n_records=0) | {"n_records": 100} | change
    return {name: value for name, value in body.items() if value is not ...}


def test_a_quote_tells_price_time_accuracy_and_chance_with_intervals(customer, seller):
    small = asked(customer, n_records=4, due_at="2100-01-01T00:00:00Z", max_overlap=1)
    told = customer.post("/jobs/quote/", small)
    assert told.status == 200, told.body
    body = told.body
    assert (body["is_feasible"], body["n_eligible"], body["n_records"], body["obstacles"]) == (True, 1, 4, [])
    for part in ("price_micro", "eta_s", "accuracy"):
        assert body[part]["low"] <= body[part]["median"] <= body[part]["high"]
    assert isinstance(body["price_micro"]["low"], int)
    assert body["on_time_probability"] == 1
    assert 0 < body["fill"]["probability"] <= 1
    assert body["fill"]["curve"][0].keys() == {"within_s", "probability"}
    assert len(body["options"]) == 9
    assert customer.get("/jobs/").body["results"] == []


def test_no_time_is_told_for_more_than_one_newcomer_can_take(customer, seller):
    told = customer.post("/jobs/quote/", asked(customer, n_records=400, max_overlap=1)).body
    assert told["fill"]["all_probability"] < 0.5
    assert told["eta_s"] is None
    assert told["price_micro"]["median"] > 0


def test_title_instructions_and_budget_may_be_left_out(customer, seller):
    body = asked(customer, title=..., instructions=..., budget_micro=...)
    assert customer.post("/jobs/quote/", body).body["is_feasible"]


def test_what_stands_in_the_way_is_told_with_the_nearest_change(customer, seller):
    told = customer.post("/jobs/quote/", asked(customer, max_price_micro=1)).body
    assert (told["is_feasible"], told["price_micro"], told["fill"]) == (False, None, None)
    (obstacle,) = told["obstacles"]
    assert (obstacle["field"], obstacle["nearest"]) == ("max_price_micro", 50_000)
    changed = customer.post("/jobs/quote/", asked(customer, max_price_micro=obstacle["nearest"])).body
    assert changed["is_feasible"]


@pytest.mark.parametrize(
    ("change", "marked"),
    [
        ({"n_records": ...}, ("n_records", "required")),
        ({"n_records": 0}, ("n_records", "min_value")),
        ({"n_records": 3, "records": [{"key": "a"}]}, ("n_records", "contradiction")),
        ({"n_records": "3"}, ("n_records", "invalid")),
        ({"is_manual": True}, ("pinned_vendors", "required")),
        ({"unknown": 1}, ("unknown", "unknown_field")),
        ({"priority": ..., "weights": {"cost": 0.5, "speed": 0.1, "accuracy": 0.1}}, ("weights", "sum")),
        ({"wave_size": 2}, ("wave_size", "not_for_this_priority")),
        ({"pinned_vendors": ["ven_00000000000000000000000001"]}, ("pinned_vendors[0]", "unknown_vendor")),
    ],
)
def test_a_wrong_question_is_told_by_field(customer, seller, change, marked):
    answer = customer.post("/jobs/quote/", asked(customer, **change))
    assert (answer.status, marked in answer.fields) == (422, True), answer.body
