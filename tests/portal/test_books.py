"""The page of the books: what stands where, whether it adds up, what differs from the payment provider."""

import pytest
from django.db import transaction

from common import ledger
from common.clock import database_now
from common.ledger import Account, Kind, Posting
from common.models import ReconciliationDifference, ReconciliationRun
from marketplace.selectors.money import Balance
from marketplace.services import holds
from portal.ops.ledger import sums
from tests import market
from tests.portal import world

pytestmark = pytest.mark.django_db(transaction=True)


def fill(currency):
    wallet = holds.wallet_of(market.customer().organization_id, currency)
    with transaction.atomic():
        ledger.post([Posting(f"fill/{wallet.owner}", Account(Kind.PROVIDER, currency), wallet, 5_000_000, "Top-up")])


def differ(n):
    ReconciliationDifference.objects.bulk_create(
        ReconciliationDifference(
            kind="missing",
            reference=f"<b>ch_{i}</b>",
            currency="USD",
            theirs_micro=3_000_000,
            ours_micro=1_000_000,
            suspense_micro=2_000_000,
            seen_at=database_now(),
        )
        for i in range(n)
    )


def test_the_books_by_kind_with_their_sum_and_what_differs():
    client = world.signed_in(market.staff())
    empty = client.get("/books/").content.decode()
    assert "No money has moved yet." in empty
    assert "Not compared yet." in empty
    fill("USD")
    fill("USD")
    fill("JPY")
    differ(1)
    ReconciliationRun.objects.create(
        judged_from=database_now(), n_theirs=7, n_ours=6, n_differences=1, n_new=1, book_problems=["a balance is off"]
    )
    text = client.get("/books/").content.decode()
    for expected in (
        "At the payment provider",
        "10.00 USD",
        "-10.00 USD",
        "-5 JPY",
        "All USD accounts together come to 0.",
        "a balance is off",
    ):
        assert expected in text
    assert "7 movements there, 6 here, 1 differ" in text
    assert ("<b>ch_0</b>" in text, "&lt;b&gt;ch_0&lt;/b&gt;" in text) == (False, True)
    ReconciliationDifference.objects.update(resolved_at=database_now(), suspense_micro=0)
    assert "No difference is open." in client.get("/books/").content.decode()


def test_books_that_do_not_add_up_say_by_how_much():
    assert sums([Balance("provider", "USD", -5), Balance("wallet", "USD", 7)]) == {"USD": 2}


def test_the_page_asks_as_often_for_many_as_for_few(django_assert_max_num_queries):
    client = world.signed_in(market.staff())
    fill("USD")
    for n in (0, 60):
        differ(n)
        with django_assert_max_num_queries(8):
            assert client.get("/books/").status_code == 200
