"""A customer's own vendors: invited, listed, withdrawn; invisible to everyone else."""

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.clock import database_now
from common.models import AuditEvent, Organization
from tests import market
from tests.portal import world
from vendors.models import Vendor, VendorInvitation
from vendors.services import invitations

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/own-vendors/"


@pytest.fixture
def customer():
    return market.customer()


@pytest.fixture
def client(customer):
    return world.signed_in(customer)


def invited(client, name="House team"):
    """Invite by the page; return the code and the page's text."""
    text = client.post(URL, {"name": name}).content.decode()
    found = re.search(r'<code class="secret">([^<]+)</code>', text)
    return found.group(1) if found else "", text


def apply_with(code, name="House labelers"):
    """Apply as a new vendor with a code, by the vendor's page."""
    actor = market.actor_of(Organization.objects.create(name=name, kind="vendor"))
    return actor, world.signed_in(actor).post("/account/register/", {"name": name, "invitation": code})


def test_a_vendor_is_invited_applies_and_is_listed(customer, client):
    code, text = invited(client)
    assert "shown this once" in text
    assert code not in client.get(URL).content.decode()
    actor, answer = apply_with(code)
    assert answer.url == "/account/"
    assert Vendor.objects.get().private_to_id == customer.organization_id
    text = client.get(URL).content.decode()
    assert "Applied as <strong>House labelers</strong>" in text
    assert "It has not said yet what it labels." in text
    again = apply_with(code, "Thief")[1]
    assert (again.status_code, "unknown, used, withdrawn" in again.content.decode()) == (422, True)
    assert "House" not in world.signed_in(market.customer()).get(URL).content.decode()
    assert world.signed_in(actor).get(URL).status_code == 404


def test_a_withdrawn_code_opens_nothing(client):
    code, _ = invited(client)
    url = f"{URL}{VendorInvitation.objects.get().public_id}/withdraw/"
    for _ in range(2):
        assert "Withdrawn: the code opens nothing" in client.post(url, follow=True).content.decode()
    assert AuditEvent.objects.filter(action="vendor.uninvited").count() == 1
    assert apply_with(code)[1].status_code == 422
    assert not Vendor.objects.exists()


def test_a_used_invitation_is_not_withdrawn_and_a_stranger_finds_none(client):
    code, _ = invited(client)
    apply_with(code)
    url = f"{URL}{VendorInvitation.objects.get().public_id}/withdraw/"
    assert "House labelers has used this invitation" in client.post(url, follow=True).content.decode()
    assert world.signed_in(market.customer()).post(url).status_code == 404
    assert VendorInvitation.objects.get().withdrawn_at is None


def test_what_ran_out_says_so_and_an_empty_name_is_refused(client):
    invited(client)
    VendorInvitation.objects.update(expires_at=database_now() - datetime.timedelta(hours=1))
    assert "Invite them again." in client.get(URL).content.decode()
    wrong = client.post(URL, {"name": " "})
    beside = wrong.content.decode().partition('id="id_name_error"')[2].partition("</ul>")[0]
    assert (wrong.status_code, "This field is required." in beside) == (422, True)
    assert VendorInvitation.objects.count() == 1


def test_the_list_costs_the_same_for_more_vendors(customer, client):
    counts = []
    for number in range(3):
        apply_with(invitations.invite(actor=customer, name=f"Team {number}").token, f"Team {number}")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[2] <= 8
