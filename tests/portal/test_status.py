"""The live status page."""

import pytest
from django.contrib.auth import get_user_model

from marketplace.services import offering
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_is_hidden_from_strangers_and_shown_to_staff(client):
    assert client.get("/").status_code == 404
    staff = get_user_model().objects.create_user("s@example.org", "s@example.org", "a long password", is_staff=True)
    client.force_login(staff)
    assert client.get("/").status_code == 200


def test_it_shows_totals_in_two_queries_and_nothing_of_anyone(client, settings, django_assert_num_queries):
    settings.STATUS_PAGE_IS_PUBLIC = True
    market.gold_set()
    one = market.seller()
    job = market.job(market.customer(), min_overlap=1)
    offering.advance()
    with django_assert_num_queries(2):
        text = client.get("/?part=1").content.decode()
    assert "offer.made" in text
    assert '<th scope="row">offering</th><td>1</td>' in text
    assert one.vendor.name not in text
    assert job.title not in text


def test_an_empty_market_says_what_to_do(client, settings):
    settings.STATUS_PAGE_IS_PUBLIC = True
    assert "make demo" in client.get("/").content.decode()
