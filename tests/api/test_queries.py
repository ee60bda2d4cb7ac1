"""Lists cost the same number of queries whatever their length."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.ids import from_public, uuid7
from marketplace.models import Adjudication, Assignment, Clawback, InvoiceTerms, Notice, Statement
from tests.api import pool, shop
from tests.api.routes import KEYED
from tests.api.rulings import add_rule, refuse
from vendors.models import Vendor, VendorRule

pytestmark = pytest.mark.django_db(transaction=True)
LISTS = [route for route in KEYED if route.action == "list"]
MOST = 6
"""Queries of a page: the key, its owner's row, and the rows with what hangs on them."""


def n_queries(api, path):
    """Return how many rows and queries a page has."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = api.get(path)
    assert answer.status == 200, answer.body
    return len(answer.body["results"]), len(captured)


def grow(world):
    """Add more of everything that lists show."""
    for n in range(3):
        world.customer.made("/api-keys/", {"name": f"{n}"})
        world.vendor.made("/api-keys/", {"name": f"{n}"})
        world.customer.made("/private-vendors/", {"name": f"{n}"})
        shop.post_job(world.customer, n_records=12)
        body = {"name": f"further {n}", "dataset": world.ids["datasets"], "batch_size": 2}
        world.customer.made("/experiments/", body)
        pool.upload(world.customer, pool.archive(), name=f"further {n}")
    world.customer.made(f"/jobs/{world.ids['jobs']}/lots/", {"records": [{"key": f"late-{i}"} for i in range(12)]})
    experiment = f"/experiments/{world.ids['experiments']}"
    for n in range(1, 3):
        world.customer.made(f"{experiment}/rounds/{n}/evaluate/")
        world.customer.made(f"{experiment}/rounds/")
    for n in range(3):
        add_rule(world.customer, world.ids["jobs"], f"further {n}")
    work = world.vendor.get(f"/assignments/{world.ids['assignments']}/").body
    answers = {"annotations": shop.annotations_for(work)[-3:-2]}
    world.vendor.send("PUT", f"/assignments/{work['id']}/annotations/", answers)
    customer, job = world.customer, world.ids["jobs"]
    customer.made(f"/jobs/{job}/instructions/", {"text": "Say what it is, anew.", "replaces": 1})
    customer.made(f"/jobs/{job}/reviews/", {"n": 3})
    for review in customer.get(f"/jobs/{job}/reviews/").body["results"]:
        customer.made(f"/reviews/{review['id']}/decide/", {"label": "bird"})
    refuse(Assignment.objects.get(pk=from_public("asg", work["id"])))
    world.vendor.made(
        f"/assignments/{work['id']}/disputes/", {"text": "This too.", "key": answers["annotations"][0]["key"]}
    )
    Adjudication.objects.update(vendor_id=from_public("ven", world.ids["vendors"]))
    Vendor.objects.filter(state="probation").update(state="active")  # probation has one slot
    seller = shop.Seller(world.vendor, "", "")
    for offer in shop.live_offers(seller):
        world.vendor.post(f"/offers/{offer['id']}/accept/")
    shop.live_offers(seller)
    vendor_id = from_public("ven", world.ids["vendors"])
    for _ in range(3):
        Notice.objects.create(vendor_id=vendor_id, kind="offer.reminder", subject=uuid7(), facts={"job": "Animals"})
    for _ in range(2):
        world.customer.made("/wallet/card-holds/", {"amount_minor": 500, "currency": "USD"})
    copy_rows()


def copy_rows():
    """What grows by a month or by a person's hand: copied as it stands."""
    for number, month in enumerate(("2020-01-01", "2020-02-01"), start=100):
        copied(Statement, number=number, period_start=month)
    for currency in ("EUR", "JPY"):
        copied(InvoiceTerms, currency=currency)
        copied(Clawback)
    for rule in list(VendorRule.objects.all()):
        rule.pk, rule.name = uuid7(), f"further {rule.name}"
        rule.save(force_insert=True)


def copied(model, **changes):
    """Add a row like the first but for its key and the changes."""
    row = model.objects.earliest("pk")
    row.pk = uuid7()
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def test_no_list_asks_once_per_row(everything):
    def owner(route):
        return everything.customer if route.noun in _CUSTOMERS else everything.owner(route)

    paths = {str(r): (owner(r), r.path(everything.id_of(r))) for r in LISTS}
    for api, path in paths.values():
        api.get(path)  # the key's last use is noted now, not while we count
    few = {name: n_queries(*where) for name, where in paths.items()}
    grow(everything)
    many = {name: n_queries(*where) for name, where in paths.items()}
    assert {name: (few[name], many[name]) for name in paths if few[name][1] != many[name][1]} == {}
    assert {name: count for name, (_, count) in many.items() if count > MOST} == {}
    grown = {name for name in paths if many[name][0] > few[name][0]}
    assert grown >= {str(r) for r in LISTS} - {"GET campaigns/", "GET vendors/"} - _FIXED


_CUSTOMERS = {"campaigns", "wallet/card-holds", "invoice-terms"}
"""What customers own, though others may ask for it too."""

_FIXED = {"GET experiments/<str:public_id>/rounds/<int:number>/picks/"}
"""Lists that cannot grow: a round's picks are chosen once."""


def test_a_piece_of_work_costs_the_same_however_large(everything):
    path = f"/assignments/{everything.ids['assignments']}/"
    everything.vendor.get(path)
    with CaptureQueriesContext(connection) as captured:
        everything.vendor.get(path)
    assert len(captured) <= 7
