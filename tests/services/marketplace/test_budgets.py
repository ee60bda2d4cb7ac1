"""A job's budget may be raised while it runs: held at once, refused without money, and what waited goes on."""

import pytest
from django.db import transaction

from common import ledger
from common.errors import NotFoundError, ValidationFailedError
from common.ledger import Account, InsufficientFundsError, Kind, Posting
from marketplace.errors import JobClosedError
from marketplace.models import Batch, Job, Offer
from marketplace.services import budgets, cancellations, holds, offering, routing
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
BUDGET = 1_000_000


@pytest.fixture
def owner(settings):
    settings.BILLING_ENABLED = True
    market.gold_set()
    actor = market.customer()
    wallet = holds.wallet_of(actor.organization_id, "USD")
    with transaction.atomic():
        ledger.post([Posting("fill", Account(Kind.PROVIDER, "USD"), wallet, 3 * BUDGET, "top-up")])
    return actor


def balances(job):
    return ledger.balance(holds.wallet_of(job.organization_id, "USD")), ledger.balance(holds.hold_of(job))


def test_the_difference_is_held_once_however_often_it_is_asked(owner):
    job = market.job(owner, n_records=0, budget_micro=BUDGET)
    assert balances(job) == (2 * BUDGET, BUDGET)
    for _ in range(2):
        raised = budgets.raise_to(actor=owner, job_id=job.pk, budget_micro=2 * BUDGET)
        assert (raised.budget_micro, raised.held_micro) == (2 * BUDGET, 2 * BUDGET)
        assert balances(job) == (BUDGET, 2 * BUDGET)


def test_without_the_money_nothing_changes(owner):
    job = market.job(owner, n_records=0, budget_micro=BUDGET)
    with pytest.raises(InsufficientFundsError):
        budgets.raise_to(actor=owner, job_id=job.pk, budget_micro=9 * BUDGET)
    job.refresh_from_db()
    assert (job.budget_micro, job.held_micro) == (BUDGET, BUDGET)
    assert balances(job) == (2 * BUDGET, BUDGET)


def test_a_budget_never_falls_and_a_closed_job_and_a_strangers_stay_as_they_are(owner):
    job = market.job(owner, n_records=0, budget_micro=BUDGET)
    with pytest.raises(ValidationFailedError, match="can only be raised"):
        budgets.raise_to(actor=owner, job_id=job.pk, budget_micro=BUDGET - 1)
    with pytest.raises(NotFoundError):
        budgets.raise_to(actor=market.customer(), job_id=job.pk, budget_micro=2 * BUDGET)
    cancellations.cancel_job(actor=owner, job_id=job.pk)
    with pytest.raises(JobClosedError):
        budgets.raise_to(actor=owner, job_id=job.pk, budget_micro=2 * BUDGET)
    assert Job.objects.get(pk=job.pk).budget_micro == BUDGET


def test_batches_the_budget_left_without_a_vendor_are_offered_again(owner, settings):
    settings.BILLING_ENABLED = False
    one = market.seller(100_000)
    job = market.job(owner, n_records=6, min_overlap=1, n_gold=0, budget_micro=BUDGET)
    Job.objects.filter(pk=job.pk).update(committed_micro=BUDGET - 1)
    Batch.objects.filter(job=job).update(max_round=1)
    offering.advance()
    assert not Offer.objects.filter(job=job).exists()
    assert Batch.objects.get(job=job).state == "escalated"
    budgets.raise_to(actor=owner, job_id=job.pk, budget_micro=3 * BUDGET)
    batch = Batch.objects.get(job=job)
    assert batch.state == "waiting"
    routing.rank_batches(batch_ids=[batch.pk])
    offering.advance()
    assert Offer.objects.get(job=job, state="live").vendor_id == one.vendor_id
