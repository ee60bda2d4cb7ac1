"""What the sweeper's idle question must notice: each kind of thing that becomes due."""

import pytest
from django.db import connection

from marketplace.models import Assignment, Batch, Job, Lot, Offer
from marketplace.services import offering, offers, sweeper
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)

PAST = "statement_timestamp() - interval '1 second'"


@pytest.fixture
def calm():
    """A market with a live offer and accepted work, swept until nothing is due."""
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000)]
    market.job(market.customer(), min_overlap=2, wave_size=1)
    offering.advance()
    offer = market.live_offer(sellers[0])
    assert offer is not None
    offers.accept(actor=sellers[0].actor, offer_id=offer.pk)
    for _ in range(3):
        sweeper.sweep()
        sweeper.dispatch_due(lambda task, identifier: None)
    return sellers


def make_due(table: str, assignments: str, condition: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {assignments} WHERE {condition}")  # noqa: S608 - constants of this file
        assert cursor.rowcount > 0


def test_a_calm_market_costs_one_statement(calm, django_assert_num_queries):
    assert Offer.objects.filter(state="live").exists()
    assert Assignment.objects.filter(state="reserved").exists()
    with django_assert_num_queries(1):
        assert not sweeper.is_due()


@pytest.mark.parametrize(
    ("table", "assignments", "condition"),
    [
        ("marketplace_offer", f"expires_at = {PAST}, created_at = {PAST} - interval '1 hour'", "state = 'live'"),
        ("marketplace_offer", f"remind_at = {PAST}", "state = 'live'"),
        ("marketplace_batch", f"offer_due_at = {PAST}", "true"),
        ("marketplace_batch", f"review = 'open', review_due_at = {PAST}, review_from_at = {PAST}", "true"),
        ("marketplace_assignment", f"start_due_at = {PAST}", "state = 'reserved'"),
        ("marketplace_assignment", f"lapse_at = {PAST}", "state = 'reserved'"),
        ("marketplace_assignment", f"warn_at = {PAST}", "state = 'reserved'"),
        ("marketplace_assignment", f"state = 'started', due_at = {PAST}", "state = 'reserved'"),
        ("marketplace_assignment", f"state = 'rework', due_at = {PAST}", "state = 'reserved'"),
        ("marketplace_assignment", f"rules_due_at = {PAST}", "true"),
        ("marketplace_lot", f"vet_due_at = {PAST}", "true"),
        ("marketplace_job", "state = 'closed', is_billed = true, held_micro = committed_micro + 1", "true"),
        ("vendors_capacitywindow", f"keeps_hours = true, open_until = {PAST}", "true"),
    ],
)
def test_whatever_becomes_due_is_noticed(calm, table, assignments, condition):
    make_due(table, assignments, condition)
    assert sweeper.is_due()


def test_a_sweep_that_took_its_fill_says_so(calm, monkeypatch):
    monkeypatch.setattr(offering, "LIMIT", 1)
    make_due("marketplace_offer", f"expires_at = {PAST}, created_at = {PAST} - interval '1 hour'", "state = 'live'")
    assert sweeper.sweep().is_behind
    for _ in range(10):
        done = sweeper.sweep()
    assert not done.is_behind
    assert Job.objects.count() == Lot.objects.count() == 1
    assert Batch.objects.exclude(state__in=["offering", "assigned", "waiting", "escalated"]).count() == 0
