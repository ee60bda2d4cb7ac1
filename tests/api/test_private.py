"""A customer's own vendor, cheapest and always free, does not show to anybody else: every route, every other caller."""

import json
from dataclasses import replace

import pytest

from common.ids import from_public
from marketplace.models import Offer
from marketplace.services import offering
from tests.api import shop
from tests.api.routes import KEYED
from vendors.models import Vendor

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "Zyzzyva house labelers"


@pytest.fixture
def house(everything, sign_up):
    """The owner's own vendor, admitted like any other, at the lowest price there is."""
    token = everything.customer.made("/private-vendors/", {"name": NAME})["token"]
    api = sign_up("vendor")
    vendor = api.made("/vendor/", {"name": NAME, "languages": ["en"], "regions": ["EU"], "invitation": token})
    capability = api.made("/vendor/capabilities/", shop.KIND)
    api.made("/vendor/prices/", {"capability": capability["id"], "price_micro": 1, "currency": "USD"})
    api.made("/vendor/agreement/", shop.AGREEMENT)
    api.made("/vendor/submit/")
    seller = shop.Seller(api, vendor["id"], capability["id"])
    attempt = api.made(f"/vendor/capabilities/{seller.capability_id}/qualification/")
    answers = [{"key": record["key"], "label": shop.truth(record["key"])} for record in attempt["records"]]
    assert api.made(f"/vendor/qualifications/{attempt['id']}/answers/", {"answers": answers})["passed"]
    return seller


def marks_of(house):
    """Return every word by which the vendor could be told: its name, its ids and that of its organization."""
    vendor = Vendor.objects.get(pk=from_public("ven", house.vendor_id))
    return [NAME, house.vendor_id, house.capability_id, vendor.organization.public_id, str(vendor.pk)]


def test_nobody_else_ever_reads_of_it_or_works_with_it(everything, house, anonymous):
    marks, other = marks_of(house), everything.strangers["customer"]
    mine = shop.post_job(everything.customer, n_records=4)
    theirs = shop.post_job(other, n_records=4)
    batch = other.get(f"/jobs/{theirs['id']}/batches/").body["results"][0]["id"]
    ids = everything.ids | {"jobs": theirs["id"], "batches": batch, "vendors": house.vendor_id}
    n_sent = 0
    for place in (everything, replace(everything, ids=ids)):
        for route in KEYED:
            for caller in (other, everything.vendor, everything.strangers["vendor"], anonymous):
                answer = caller.send(route.method, route.path(place.id_of(route)), place.body_of(route))
                text = json.dumps(answer.body)
                assert not [mark for mark in marks if mark in text], f"{route}: {text[:500]}"
                n_sent += 1
    assert n_sent == 2 * 4 * len(KEYED)
    offering.advance()
    asked = set(Offer.objects.filter(vendor_id=from_public("ven", house.vendor_id)).values_list("job_id", flat=True))
    assert asked == {from_public("job", mine["id"])}


def test_its_own_customer_finds_it_in_the_ranking(everything, house):
    job = shop.post_job(everything.customer, n_records=4)
    rows = everything.customer.get(f"/jobs/{job['id']}/candidates/").body["results"]
    assert house.vendor_id in {row["vendor"] for row in rows if row["sequence"] is not None}
