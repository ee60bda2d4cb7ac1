"""The staff's pages: the board, vendor review."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.ids import to_public
from marketplace.services import offering
from tests import market
from tests.portal import world
from vendors.services import onboarding

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_board_shows_live_offers_and_what_is_stuck():
    here = world.make()
    market.stuck_job(here.customer)
    client = world.signed_in(here.staff)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            text = client.get("/market/").content.decode()
        counts.append(len(queries))
        market.job(here.customer, min_overlap=1, n_records=18)
        market.stuck_job(here.customer)
        offering.advance()
    assert counts[0] == counts[1] <= 9
    assert here.seller.vendor.name in text
    assert "no candidate" in text
    assert "its customer decides" in text


def test_a_vendor_is_approved_with_a_reason():
    one = market.applicant()
    onboarding.submit(actor=one.actor)
    client = world.signed_in(market.staff())
    url = f"/vendors/{to_public('ven', one.vendor_id)}/"
    assert "Requirements" in client.get(url).content.decode()
    empty = client.post(f"{url}review/", {"reason": ""})
    assert empty.status_code == 422
    assert "Choose a decision." in empty.content.decode()
    assert 'id="id_reason_error"' in empty.content.decode()
    done = client.post(f"{url}review/", {"decision": "approve", "reason": "Good work."}, follow=True)
    assert "is now qualifying" in done.content.decode()
    assert one.vendor.state_reason == "Good work."


def test_a_decision_the_state_forbids_is_told():
    one = market.applicant()
    client = world.signed_in(market.staff())
    url = f"/vendors/{to_public('ven', one.vendor_id)}/review/"
    answer = client.post(url, {"decision": "approve", "reason": "Too early."})
    assert answer.status_code == 422
    assert "A vendor that is draft cannot become qualifying." in answer.content.decode()
    assert one.vendor.state == "draft"


def test_vendors_are_listed_by_state():
    one, other = market.applicant(), market.applicant()
    client = world.signed_in(market.staff())
    text = client.get("/vendors/").content.decode()
    assert one.vendor.name in text
    assert other.vendor.name in text
    assert one.vendor.name not in client.get("/vendors/?state=active").content.decode()


def test_django_staff_without_membership_runs_the_market(client):
    user = get_user_model().objects.create_user("s@example.org", "s@example.org", world.PASSWORD, is_staff=True)
    client.force_login(user)
    assert client.get("/home/").url == "/market/"
    assert client.get("/market/").status_code == 200
