"""Pages on credit: staff gives terms and ends them; the customer sees what it owes and until when."""

import datetime

import pytest

from common.clock import database_now
from common.models import Organization
from marketplace.models import InvoiceTerms, Statement
from tests import market
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)
TERMS = {"currency": "USD", "limit": "50.25", "days": "30"}


def test_staff_gives_terms_by_name_or_id_and_ends_them():
    customer, client = market.customer(), world.signed_in(market.staff())
    organization, own = Organization.objects.get(pk=customer.organization_id), world.signed_in(customer)
    assert "Everyone pays first." in client.get("/credit/").content.decode()
    done = client.post("/credit/", TERMS | {"customer": organization.name}, follow=True).content.decode()
    assert "<strong>0.00 USD</strong> of 50.25 USD used; 30 days to pay." in done
    assert "Credit: <strong>0.00 USD</strong> of 50.25 USD used" in own.get("/money/").content.decode()
    client.post("/credit/", TERMS | {"customer": organization.public_id, "limit": "60"})
    terms = InvoiceTerms.objects.get()
    assert terms.limit_micro == 60_000_000
    ended = client.post(f"/credit/{terms.public_id}/end/", follow=True).content.decode()
    assert "<span>ended</span>" in ended
    assert "Credit:" not in own.get("/money/").content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customer": "Nobody"}, "There is no such customer."),
        ({"customer": "Twin"}, "Several customers have this name: give the id."),
        ({"currency": "usd"}, "Enter a valid value."),
        ({"limit": "0"}, "greater than or equal to 1"),
        ({"days": "181"}, "less than or equal to 180"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field(change, said):
    for name in ("Twin", "Twin", "Owls"):
        Organization.objects.create(name=name, kind="customer")
    answer = world.signed_in(market.staff()).post("/credit/", TERMS | {"customer": "Owls"} | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not InvoiceTerms.objects.exists()


@pytest.mark.parametrize(("days", "said"), [(3, "asks for 2.50 USD by"), (-1, "nothing more is lent until 2.50 USD")])
def test_a_customer_sees_what_it_owes_and_by_when(days, said):
    customer = market.customer()
    today = database_now().date()
    Statement.objects.create(
        kind="invoice",
        number=7,
        organization_id=customer.organization_id,
        currency="USD",
        period_start=today - datetime.timedelta(days=60),
        period_end=today - datetime.timedelta(days=30),
        opening_micro=0,
        closing_micro=-2_500_000,
        turnover_micro=-2_500_000,
        due_micro=2_500_000,
        due_on=today + datetime.timedelta(days=days),
        party={"legal_name": "Owls Ltd"},
    )
    client = world.signed_in(customer)
    assert said in client.get("/money/").content.decode()
    page = client.get(f"/statements/{Statement.objects.get().public_id}/").content.decode()
    assert "To pay: <strong>2.50 USD</strong>" in page


def test_the_page_asks_as_often_for_many_as_for_few(django_assert_max_num_queries):
    client = world.signed_in(market.staff())
    for n in (1, 30):
        for _ in range(n):
            organization_id = market.customer().organization_id
            InvoiceTerms.objects.create(organization_id=organization_id, currency="USD", limit_micro=1, days=1)
        with django_assert_max_num_queries(7):
            assert client.get("/credit/").status_code == 200
