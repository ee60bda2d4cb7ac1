"""The market over HTTP, from registration to labels."""

import pytest

from marketplace.models import Lot
from marketplace.services import vetting
from tests.api import shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def seller(vendor, staff):
    """Return an admitted vendor."""
    shop.add_gold_set(staff)
    return shop.admit(staff, shop.apply_as_vendor(vendor))


def test_onboarding_tells_what_is_due(vendor, staff):
    shop.add_gold_set(staff)
    assert vendor.get("/vendor/").status == 404
    vendor.made("/vendor/", {"name": "V"})
    due = [item["code"] for item in vendor.get("/vendor/").body["requirements"]["currently_due"]]
    assert due == ["capability.declared", "agreement.signature", "qualification.passed"]
    assert vendor.post("/vendor/submit/").code == "requirements_open"
    seller = shop.apply_as_vendor(vendor)
    mine = shop.admit(staff, seller).api.get("/vendor/").body
    assert mine["state"] == "probation"
    assert not any(mine["requirements"].values())
    assert mine["scorecard"][0]["accuracy"]["low"] > 0.9
    assert mine["scorecard"][0]["price_micro"] == 50_000


def test_a_failed_qualification_is_told_with_its_bound(vendor, staff):
    shop.add_gold_set(staff)
    seller = shop.apply_as_vendor(vendor)
    vendor.made("/vendor/submit/")
    staff.made(f"/vendors/{seller.vendor_id}/review/", {"decision": "approve", "reason": ""} | {"reason": "ok"})
    attempt = vendor.made(f"/vendor/capabilities/{seller.capability_id}/qualification/")
    assert {"label", "answer"}.isdisjoint(attempt["records"][0])
    answers = [{"key": record["key"], "cannot_label": "ambiguous"} for record in attempt["records"]]
    path = f"/vendor/qualifications/{attempt['id']}/answers/"
    assert vendor.post(path, {"answers": [*answers, answers[0]]}).fields == {("answers[40].key", "unknown_or_repeated")}
    assert vendor.post(path, {"answers": [{"key": answers[0]["key"]}]}).fields == {("answers[0].label", "one_of")}
    result = vendor.made(path, {"answers": answers})
    assert (result["passed"], result["n_correct"]) == (False, 0)
    assert vendor.post(path, {"answers": answers}).code == "qualification_closed"


def test_availability_keeps_what_is_left_out(seller):
    seller.api.patch("/vendor/availability/", {"paused_until": "2100-01-01T00:00:00Z", "slots": 3})
    answer = seller.api.patch("/vendor/availability/", {"accepting": False}).body["capacity"]
    assert (answer["slots"], answer["accepting"]) == (3, False)
    assert answer["paused_until"] == "2100-01-01T00:00:00Z"


def test_an_offer_is_accepted_labeled_vetted_and_read_back(customer, seller):
    job = shop.post_job(customer, max_overlap=1)
    candidates = customer.get(f"/jobs/{job['id']}/candidates/").body["results"]
    assert [row["sequence"] for row in candidates] == [0]
    offer = shop.live_offers(seller)[0]
    assert offer["server_now"] < offer["expires_at"]
    work = shop.accept_one(seller)
    assert work["instructions"] == "Say what it is."
    assert work["records"][0].keys() == {"id", "key", "uri", "metadata", "is_done", "prelabel"}
    path = f"/assignments/{work['id']}/annotations/"
    delivered = seller.api.put(path, {"annotations": shop.annotations_for(work)}).body
    assert (delivered["state"], delivered["n_left"]) == ("submitted", 0)
    vetting.vet_lot(lot_id=Lot.objects.get().pk)
    labels = customer.get(f"/jobs/{job['id']}/labels/").body["results"]
    assert {row["key"]: row["label"] for row in labels} == {f"record-{i}": shop.truth(f"record-{i}") for i in range(4)}
    assert customer.get(f"/jobs/{job['id']}/").body["lots"] == {"closed": 1}
    assert seller.api.get("/assignments/?state=accepted").body["results"][0]["n_done"] == len(work["records"])


def test_the_feed_tells_everything_in_order_and_from_any_point(customer, seller):
    job = shop.post_job(customer)
    shop.accept_one(seller)
    events = customer.get(f"/jobs/{job['id']}/events/").body["results"]
    kinds = [event["kind"] for event in events]
    assert kinds[:2] == ["job.posted", "batch.offering"] or kinds[0] == "job.posted"
    assert kinds[-1] == "offer.accepted"
    assert events[-1]["vendor"] == seller.vendor_id
    assert events[-1]["subject"].startswith("off_")
    assert events[-1]["facts"]["assignment"].startswith("asg_")
    later = customer.get(f"/jobs/{job['id']}/events/?after={events[1]['id']}").body["results"]
    assert later == events[2:]


def test_a_declined_offer_shows_in_the_chain(customer, seller):
    job = shop.post_job(customer)
    offer = shop.live_offers(seller)[0]
    declined = seller.api.made(f"/offers/{offer['id']}/decline/", {"reason": "too_short"})
    assert declined["state"] == "declined"
    assert seller.api.post(f"/offers/{offer['id']}/accept/").code == "offer_closed"
    batch = customer.get(f"/jobs/{job['id']}/batches/").body["results"][0]
    chain = customer.get(f"/batches/{batch['id']}/").body["offers"]
    assert [(row["state"], row["reason"]) for row in chain] == [("declined", "too_short")]


def test_an_escalated_batch_is_resolved(customer, seller):
    seller.api.patch("/vendor/availability/", {"accepting": False})
    job = shop.post_job(customer, max_price_micro=1)
    seller.api.patch("/vendor/availability/", {"accepting": True})
    batch = customer.get(f"/jobs/{job['id']}/batches/").body["results"][0]
    shown = customer.get(f"/batches/{batch['id']}/").body
    assert (shown["state"], shown["choices"]) == ("escalated", ["raise_price", "relax_floor", "wait", "close"])
    path = f"/batches/{batch['id']}/resolve/"
    assert customer.post(path, {"choice": "raise_price"}).fields == {("max_price_micro", "required")}
    assert customer.made(path, {"choice": "raise_price", "max_price_micro": 100_000})["state"] == "waiting"
    assert shop.live_offers(seller)


def test_an_infeasible_job_is_refused_with_the_nearest_price_that_would_do(customer, seller):
    answer = customer.post("/jobs/", shop.job_body(customer, max_price_micro=1))
    assert (answer.status, answer.body["code"]) == (422, "infeasible_job")
    assert answer.fields == {("max_price_micro", "infeasible")}
    assert answer.body["facts"]["nearest"]["max_price_micro"] > 1


def test_bad_annotations_are_refused_whole(customer, seller):
    shop.post_job(customer)
    work = shop.accept_one(seller)
    path = f"/assignments/{work['id']}/annotations/"
    right = shop.annotations_for(work)
    for spoiled, marked in [
        ({"label": "whale"}, ("annotations[0].label", "unknown_class")),
        ({"cannot_label": "ambiguous"}, ("annotations[0].cannot_label", "label_and_cannot_label")),
        ({"key": "record-999"}, ("annotations[0].key", "unknown_record")),
        ({"key": right[1]["key"]}, ("annotations[1].key", "duplicate_key")),
    ]:
        answer = seller.api.put(path, {"annotations": [right[0] | spoiled, *right[1:]]})
        assert (answer.status, marked in answer.fields) == (422, True), answer.body
    assert seller.api.get(f"/assignments/{work['id']}/").body["n_done"] == 0


def test_a_record_may_be_named_by_its_id(customer, seller):
    shop.post_job(customer, gold=[{"key": "record-1", "label": "dog"}], gold_ratio=0.25)
    work = shop.accept_one(seller)
    path = f"/assignments/{work['id']}/annotations/"
    answers = shop.annotations_for(work)
    twice = [n for n, answer in enumerate(answers) if answer["key"] == "record-1"]
    refused = seller.api.put(path, {"annotations": answers})
    assert refused.fields == {(f"annotations[{n}].key", "ambiguous_key") for n in twice}
    by_id = [answer | {"key": record["id"]} for answer, record in zip(answers, work["records"], strict=True)]
    assert seller.api.put(path, {"annotations": by_id}).body["n_left"] == 0


def test_part_of_the_work_is_kept_when_the_rest_is_released(customer, seller):
    shop.post_job(customer)
    work = shop.accept_one(seller)
    done = seller.api.put(f"/assignments/{work['id']}/annotations/", {"annotations": shop.annotations_for(work)[:2]})
    assert (done.body["n_new"], done.body["state"]) == (2, "started")
    released = seller.api.made(f"/assignments/{work['id']}/release/", {"reason": "too hard"})
    assert (released["state"], released["n_done"]) == ("failed", 2)
    late = seller.api.put(f"/assignments/{work['id']}/annotations/", {"annotations": shop.annotations_for(work)[2:]})
    assert (late.status, late.body["code"]) == (409, "assignment_closed")


def test_a_job_is_extended_and_cancelled(customer):
    job = shop.post_job(customer)
    path = f"/jobs/{job['id']}"
    assert customer.made(f"{path}/lots/", {"records": [{"key": "more"}]})["number"] == 2
    assert customer.post(f"{path}/lots/", {"records": [{"key": "more"}]}).fields == {
        ("records[0].key", "duplicate_key")
    }
    assert customer.made(f"{path}/cancel/")["state"] == "cancelled"
    assert customer.post(f"{path}/lots/", {"records": [{"key": "late"}]}).code == "job_closed"


@pytest.mark.parametrize(
    ("change", "marked"),
    [
        ({"weights": {"cost": 1.0, "speed": 1.0, "accuracy": 1.0}, "priority": None}, ("priority", "null")),
        ({"weights": {"cost": 0.2, "speed": 0.2, "accuracy": 0.6}}, ("priority", "one_of")),
        ({"budget_micro": "5"}, ("budget_micro", "invalid")),
        ({"budget_micro": 1.0}, ("budget_micro", "invalid")),
        ({"budget_micro": True}, ("budget_micro", "invalid")),
        ({"budget_micro": 0}, ("budget_micro", "min_value")),
        ({"min_overlap": 6}, ("max_overlap", "too_small")),
        ({"gold_ratio": 0.6}, ("gold_ratio", "max_value")),
        ({"label_schema": "sch_1"}, ("label_schema", "invalid_id")),
        ({"records": [{"key": "a"}, {"key": "a"}]}, ("records[1].key", "duplicate_key")),
        ({"records": [{"key": "a", "metadata": {"x": "y" * 20_000}}]}, ("records[0].metadata", "too_large")),
        ({"records": [{"key": "a", "extra": 1}]}, ("records[0].extra", "unknown_field")),
        ({"gold": [{"key": "a", "label": "whale"}]}, ("gold[0].label", "unknown_class")),
        ({"currency": "usd"}, ("currency", "invalid")),
    ],
)
def test_an_order_is_checked_whole_before_anything_is_written(customer, change, marked):
    answer = customer.post("/jobs/", shop.job_body(customer) | change)
    assert (answer.status, marked in answer.fields) == (422, True), answer.body
    assert customer.get("/jobs/").body["results"] == []


def test_weights_need_not_be_a_stated_priority(customer):
    body = shop.job_body(customer) | {"weights": {"cost": 0.2, "speed": 0.2, "accuracy": 0.6}}
    del body["priority"]
    assert customer.made("/jobs/", body)["weights"]["accuracy"] == 0.6
    assert customer.post("/jobs/", body | {"weights": {"cost": 1.0, "speed": 1.0, "accuracy": 1.0}}).fields == {
        ("weights", "sum")
    }


def test_a_gold_set_is_checked(staff):
    records = [{"key": f"{i}", "label": "cat"} for i in range(10)]
    body = shop.KIND | {"classes": shop.CLASSES, "records": records}
    assert staff.post("/gold-sets/", body).fields == {("records", "too_few")}
    assert staff.made("/gold-sets/", body | {"n_records_per_attempt": 5})["floor"] == 0.85
    assert staff.post("/gold-sets/", body | {"n_records_per_attempt": 5}).code == "conflict"


def test_vendors_are_listed_for_staff_and_customers(staff, customer, seller):
    for api in (staff, customer):
        assert [row["id"] for row in api.get("/vendors/").body["results"]] == [seller.vendor_id]
    assert staff.get("/vendors/?state=draft").body["results"] == []
    assert staff.get("/vendors/?state=nonsense").code == "invalid_parameter"
