"""A job's money: held when posted, paid as labels pass, the rest given back; every micro-unit accounted for."""

import pytest
from django.db import transaction

from common import ledger
from common.ledger import Account, InsufficientFundsError, Kind, Posting
from marketplace.models import Job, Settlement
from marketplace.services import annotations, cancellations, holds, offers, sweeper, vetting
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
BUDGET = 2_000_000


@pytest.fixture(autouse=True)
def billed(settings):
    settings.BILLING_ENABLED = True
    market.gold_set()


def customer_with(amount):
    actor = market.customer()
    wallet = holds.wallet_of(actor.organization_id, "USD")
    with transaction.atomic():
        ledger.post([Posting(f"fill/{wallet.owner}", Account(Kind.PROVIDER, "USD"), wallet, amount, "top-up")])
    return actor


def balances(job, *sellers):
    wallet = ledger.balance(holds.wallet_of(job.organization_id, "USD"))
    owed = [ledger.balance(holds.payable_to(s.vendor_id, s.actor.organization_id, "USD")) for s in sellers]
    return wallet, ledger.balance(holds.hold_of(job)), *owed, ledger.balance(Account(Kind.PLATFORM_FEE, "USD"))


def vet(job):
    vetting.vet_lot(lot_id=job.lots.get().pk)


def test_a_job_without_money_is_refused_and_leaves_nothing():
    actor = customer_with(BUDGET - 1)
    with pytest.raises(InsufficientFundsError, match=r"2\.00 USD is needed, 1\.999999 USD is available"):
        market.job(actor, budget_micro=BUDGET)
    assert not Job.objects.exists()
    assert ledger.balance(holds.wallet_of(actor.organization_id, "USD")) == BUDGET - 1


def test_the_money_goes_from_wallet_to_hold_to_vendor_and_back():
    one = market.seller(33_333)
    actor = customer_with(BUDGET)
    job = market.job(actor, n_gold=0, min_overlap=1, max_overlap=1, budget_micro=BUDGET)
    assert balances(job, one) == (0, BUDGET, 0, 0)
    market.work(one)
    vet(job)
    assert balances(job, one) == (0, BUDGET, 0, 0), "money moves in a step of its own"
    sweeper.sweep()
    earned, fee = 6 * 33_333, 20_000
    assert balances(job, one) == (0, BUDGET - earned - fee, earned, fee)
    cancellations.cancel_job(actor=actor, job_id=job.pk)
    sweeper.sweep()
    sweeper.sweep()
    assert balances(job, one) == (BUDGET - earned - fee, 0, earned, fee)
    assert ledger.discrepancies() == []


def test_cancelling_keeps_what_delivered_work_may_still_earn():
    one = market.seller(50_000)
    actor = customer_with(BUDGET)
    job = market.job(actor, n_gold=0, min_overlap=1, max_overlap=1, budget_micro=BUDGET)
    assignment = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
    annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=market.answers_of(assignment, limit=4))
    cancellations.cancel_job(actor=actor, job_id=job.pk)
    sweeper.sweep()
    kept = 4 * 55_000
    assert balances(job, one)[:2] == (BUDGET - kept, kept)
    vet(job)
    sweeper.sweep()
    paid = Settlement.objects.get(assignment=assignment)
    assert balances(job, one) == (BUDGET - kept, 0, 4 * 50_000, 4 * 5_000)
    assert paid.post_due_at is None


def test_a_settlement_is_booked_once_by_racing_sweepers():
    one = market.seller(50_000)
    job = market.job(customer_with(BUDGET), n_gold=0, min_overlap=1, max_overlap=1, budget_micro=BUDGET)
    market.work(one)
    vet(job)
    assert [holds.post_due(), holds.post_due()] == [1, 0]
    Settlement.objects.update(post_due_at="2020-01-01T00:00Z")
    assert holds.post_due() == 1, "a lost acknowledgement is tried again ..."
    assert balances(job, one) == (0, BUDGET - 330_000, 300_000, 30_000), "... and books nothing twice"


def test_without_billing_no_money_moves(settings):
    settings.BILLING_ENABLED = False
    one = market.seller(50_000)
    job = market.job(market.customer(), n_gold=0, min_overlap=1, max_overlap=1)
    market.work(one)
    vet(job)
    assert Settlement.objects.get().post_due_at is None
    assert (job.is_billed, holds.post_due(), balances(job, one)) == (False, 0, (0, 0, 0, 0))
