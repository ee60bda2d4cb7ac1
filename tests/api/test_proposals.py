"""Proposals over HTTP: vetoed, added to, approved; what cannot be meant is named."""

import pytest

from common.ids import from_public
from marketplace.services import campaigns
from tests.api import pool, shop
from tests.api.test_curation import experiment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


def proposing(customer, **terms):
    """Return the path of a campaign that has proposed its first round, and the keys."""
    path = experiment(customer)
    schema = customer.made("/label-schemas/", {"name": "s", "task_type": "classification", "classes": pool.CLASSES})
    body = shop.job_body(customer, n_records=0) | {"label_schema": schema["id"], "records": [], "gold": []}
    job = customer.made("/jobs/", body)
    pair = {"experiment": path.split("/")[-1], "job": job["id"]}
    campaign = customer.made("/campaigns/", pair | {"rounds": 2, "mode": "veto"} | terms)
    campaigns.advance(campaign_id=from_public("cmp", campaign["id"]))
    picks = customer.get(f"{path}/rounds/1/picks/").body["results"]
    return f"/campaigns/{campaign['id']}", [pick["key"] for pick in picks], f"{path}/rounds/1/picks/"


def test_a_proposal_is_vetoed_added_to_and_approved(customer):
    path, keys, picks = proposing(customer, review_s=3600)
    shown = customer.get(f"{path}/").body
    assert (shown["phase"], shown["mode"], shown["review_s"]) == ("review", "veto", 3600)
    assert shown["review_due_at"] > shown["created_at"]
    customer.made(f"{path}/veto/", {"keys": keys[:2], "reason": "out_of_scope", "note": "A cat."})
    new = next(key for key in (f"record-{i}" for i in range(40)) if key not in keys)
    customer.made(f"{path}/add/", {"keys": [new]})
    rows = customer.get(picks).body["results"]
    assert [row["veto_reason"] for row in rows] == ["out_of_scope"] * 2 + [""] * 5
    assert (rows[-1]["key"], rows[-1]["arm"]) == (new, "manual")
    for number, status in ((2, 409), (1, 200), (1, 200)):
        assert customer.post(f"{path}/approve/", {"round": number}).status == status
    told = customer.get(f"{path}/overrides/").body
    assert [(row["by"], row["n_picked"], row["n_vetoed"]) for row in told["chosen"]][1:] == [
        ("manual", 1, 0),
        ("control", 0, 0),
    ]
    assert told["vetoes_by_reason"] == {"out_of_scope": 2}
    assert told["manual_against_machine"] is None  # nothing has come back yet
    campaigns.advance(campaign_id=from_public("cmp", path.split("/")[-1]))
    late = customer.post(f"{path}/veto/", {"keys": keys[2:3]})
    assert (late.status, late.code) == (409, "proposal_closed")


def test_what_cannot_be_vetoed_or_added_is_named(customer):
    path, keys, _ = proposing(customer)
    answer = customer.post(f"{path}/veto/", {"keys": [keys[0], "record-99"]})
    assert (answer.status, answer.fields) == (422, {("keys[1]", "not_proposed")})
    answer = customer.post(f"{path}/add/", {"keys": [keys[0], "nobody"]})
    assert (answer.status, answer.fields) == (422, {("keys[0]", "asked_before"), ("keys[1]", "unknown_key")})
    assert customer.post(f"{path}/veto/", {"keys": [], "reason": "known"}).status == 422
    assert customer.post(f"{path}/veto/", {"keys": keys, "reason": "ugly"}).fields == {("reason", "invalid_choice")}


def test_a_time_to_veto_goes_with_its_mode(customer):
    pair = {"experiment": experiment(customer).split("/")[-1], "job": shop.post_job(customer, n_records=1)["id"]}
    for terms in ({"mode": "veto", "review_s": 59}, {"review_s": 90 * 86_400 + 1, "mode": "veto"}, {"mode": "ask"}):
        assert customer.post("/campaigns/", pair | {"rounds": 1} | terms).status == 422
