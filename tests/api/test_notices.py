"""Whatever anybody can be told is listed: every kind of notice has words and an id in its outside form."""

import pytest

from common.ids import from_public, to_public, uuid7
from marketplace.core import notices
from marketplace.models import Notice
from tests.api import shop

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_kind_of_notice_is_listed(vendor, staff):
    shop.add_gold_set(staff)
    one = shop.admit(staff, shop.apply_as_vendor(vendor))
    vendor_id = from_public("ven", one.vendor_id)
    facts = dict.fromkeys(("job", "why", "document", "state", "action", "version", "n", "round"), "Animals")
    for kind in notices.kinds():
        Notice.objects.create(vendor_id=vendor_id, kind=kind, subject=uuid7(), facts=facts)
    listed = {row["kind"]: row for row in vendor.get("/notices/").body["results"]}
    assert set(listed) >= set(notices.kinds())
    assert all("_" in row["subject"] and "{" not in row["words"] for row in listed.values())


def test_a_customer_is_shown_what_it_was_told_and_nobody_else(customer, sign_up, staff, vendor):
    mine = from_public("org", customer.get("/organization/").body["id"])
    campaign = uuid7()
    told = {"job": "Animals", "round": 2, "n": 5, "until": "2030-01-02T03:04:05+00:00"}
    Notice.objects.create(customer_id=mine, kind="proposal.to_veto", subject=campaign, facts=told)
    rows = customer.get("/campaigns/notices/").body["results"]
    words = "Round 2 of Animals is proposed, 5 records: those not vetoed by 2030-01-02 03:04 UTC are ordered."
    assert [(row["kind"], row["subject"], row["words"]) for row in rows] == [
        ("proposal.to_veto", to_public("cmp", campaign), words)
    ]
    assert sign_up("customer").get("/campaigns/notices/").body["results"] == []
    assert staff.get("/campaigns/notices/").body["results"] == rows
    assert vendor.get("/campaigns/notices/").status == 403
    assert vendor.get("/notices/").body["results"] == []
