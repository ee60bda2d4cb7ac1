"""A bonus: given once out of the wallet, to who was paid, and refused with the books unchanged."""

import threading

import pytest
from django.db import connection

from common import ledger
from common.errors import NotFoundError
from common.ledger import InsufficientFundsError
from marketplace.errors import BonusGivenError, NothingToRewardError
from marketplace.models import Batch, RoutingEvent, Settlement
from marketplace.services import bonuses, holds, statements
from tests import market
from tests.services.marketplace.test_statements import BUDGET, a_paid_job, billed, fill, next_month  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paid():
    one, actor, job = a_paid_job()
    fill(job.organization)
    return one, actor, job, Settlement.objects.select_related("assignment__batch").get().assignment.batch


def books(one, job):
    owed = ledger.balance(holds.payable_to(one.vendor_id, one.actor.organization_id, "USD"))
    return ledger.balance(holds.wallet_of(job.organization_id, "USD")), owed


def grant(actor, batch, amount=250_000):
    return bonuses.grant(actor=actor, batch_id=batch.pk, amount_micro=amount, reason="Fast and right.")


def test_it_is_given_once_however_often_it_is_asked(paid):
    one, actor, job, batch = paid
    for _ in range(3):
        assert grant(actor, batch) == Settlement.objects.get()
    assert books(one, job) == (750_000, 300_000 + 250_000)
    event = RoutingEvent.objects.get(kind="bonus.given")
    assert (event.vendor_id, event.facts) == (one.vendor_id, {"amount_micro": 250_000, "reason": "Fast and right."})
    with pytest.raises(BonusGivenError):
        grant(actor, batch, 250_001)
    assert books(one, job) == (750_000, 550_000)


def test_asked_by_many_at_once_it_is_given_once(paid):
    one, actor, job, batch = paid

    def ask():
        try:
            grant(actor, batch)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert books(one, job) == (750_000, 550_000)
    assert RoutingEvent.objects.filter(kind="bonus.given").count() == 1


def test_what_jobs_hold_is_not_touched(paid):
    one, actor, job, batch = paid
    with pytest.raises(InsufficientFundsError):
        grant(actor, batch, 1_000_001)
    assert books(one, job) == (1_000_000, 300_000)


@pytest.mark.parametrize("amount", [0, -5, 10**18])
def test_amounts_that_cannot_be_meant_change_nothing(paid, amount):
    one, actor, job, batch = paid
    with pytest.raises(ValueError, match="an amount is 1 to"):
        grant(actor, batch, amount)
    assert books(one, job) == (1_000_000, 300_000)


def test_a_batch_that_earned_nothing_has_nobody_to_reward():
    actor = market.customer()
    holder = market.seller(50_000)
    fill(type(holder.vendor.organization).objects.get(pk=actor.organization_id), 9_000_000)
    job = market.job(actor, budget_micro=BUDGET)
    with pytest.raises(NothingToRewardError):
        grant(actor, Batch.objects.filter(job=job).first())


def test_nobody_gives_for_others(paid):
    _, _, _, batch = paid
    for other in (market.customer(), market.staff()):
        with pytest.raises(NotFoundError):
            grant(other, batch)


def test_it_stands_on_both_statements(paid):
    _, actor, job, batch = paid
    grant(actor, batch)
    statements.issue_due(today=next_month())
    lines = {row.kind: row.lines for row in job.organization.statements.model.objects.all()}
    for kind, sign in (("invoice", -1), ("statement", 1)):
        assert [(x["for"], x["amount_micro"]) for x in lines[kind] if x["memo"] == "Bonus"] == [
            (job.public_id, sign * 250_000)
        ]
