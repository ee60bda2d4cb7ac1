"""No page asks once per row: every page of every kind of person, before and after there is more of everything."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.clock import database_now
from marketplace.core.rules import Rule as Terms
from marketplace.models import Review
from marketplace.services import offering, rules, second_looks
from tests import market
from tests.portal import world
from tests.portal.test_access import ROUTES, people, url_of
from vendors.models import Capability, VendorEvent
from vendors.services import documents, onboarding
from vendors.services.documents import DocumentInput

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 20
MOST_OF_FORM = 40
"""The job form ranks and quotes as it is shown."""


@pytest.fixture
def here():
    made = world.make()
    world.add_effect(made)
    world.add_dispute(made)
    world.add_desk(made)
    world.add_second_look(made)
    world.add_statement(made)
    world.add_campaign(made)
    world.add_proposal()
    return made


def counted(here: world.World, urls: dict[str, str]) -> dict[str, int]:
    """Return how many queries each page takes, by person and name."""
    counts = {}
    for who, actor in people(here).items():
        client = world.signed_in(actor)
        for name, (how, allowed) in ROUTES.items():
            if how == "get" and who in allowed:
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(urls[name]).status_code == 200
                counts[f"{who} {name}"] = len(queries)
    return counts


def grow(here: world.World) -> None:
    """Add more of what lists show."""
    seller = here.seller.actor
    for number in range(3):
        job = market.job(here.customer, batch_size=2)
        world.add_campaign(here, job)
        terms = Terms("vendor", "n_answers", ">", 5, 1, "warn", window_s=3600)
        rules.create(actor=here.customer, job_id=job.pk, name=f"Rule {number}", terms=terms)
        kind = market.KIND | {"domain": f"domain {number}"}
        capability = onboarding.declare_capability(actor=seller, **kind)
        for price in (50_000, 60_000):
            valid_from = database_now() + datetime.timedelta(days=price)
            onboarding.list_price(
                actor=seller, capability_id=capability.pk, price_micro=price, currency="USD", valid_from=valid_from
            )
        issued_at = database_now() - datetime.timedelta(days=9)
        paper = DocumentInput("insurance", "I", "https://example.org/p.pdf", f"{number}" * 64, issued_at)
        documents.hand_in(actor=seller, document=paper)
        VendorEvent.objects.create(vendor_id=here.seller.vendor_id, kind="rule.applied", reason="Slow.")
        world.invitations.invite(actor=here.customer, name=f"Team {number}")
        record = here.job.records.order_by("-pk")[number]
        type(record).objects.filter(pk=record.pk).update(state="labeled", label=0, confidence=0.6)
        second_looks.call_for(here.job.pk, [record.pk], Review.Cause.MODEL, "A model says something else.")
    Capability.objects.filter(vendor_id=here.seller.vendor_id).update(status="active")
    offering.advance()


def test_no_page_asks_once_per_row(here):
    urls = {name: url_of(name, here) for name in ROUTES}
    few = counted(here, urls)
    grow(here)
    many = counted(here, urls)
    more = {page: (few[page], many[page]) for page in few if many[page] > few[page]}
    assert more == {}
    assert {page: n for page, n in many.items() if n > (MOST_OF_FORM if "job-new" in page else MOST)} == {}
