"""A job paid by an amount held on a card: what its labels cost is taken, once, whatever fails, and nothing else."""

import datetime

import pytest
from django.db.models import F

from common import card_payments, ledger, payments
from common.errors import NotFoundError, ValidationFailedError
from common.ledger import Kind
from common.models import LedgerAccount, MoneyOp
from common.payment_types import RefusedError
from marketplace.errors import CardHoldFixedError
from marketplace.models import CardHold, Job, RoutingEvent
from marketplace.services import budgets, cancellations, card_holds, holds, jobs, reconciliation, sweeper, vetting
from marketplace.services.jobs import JobTerms, RecordInput
from tests import market
from tests import payments as stand_in
from tests.wallets import balance, books_agree, customer, run_all

pytestmark = pytest.mark.django_db(transaction=True)
BUDGET, HELD = 1_000_000, 100
COST, TAKEN = 330_000, 33


@pytest.fixture(autouse=True)
def _market(provider):
    market.gold_set()


def posted(actor, hold, **terms):
    """Post a job of six records that is paid by a hold."""
    schema = jobs.create_schema(
        actor=actor, name=f"schema {Job.objects.count()}", task_type="classification", classes=market.CLASSES
    )
    stated = {"title": "Animals", "instructions": "Say what.", "modality": "image", "budget_micro": BUDGET}
    stated |= {"weights": market.Weights.of("cost"), "batch_size": 6, "min_overlap": 1, "max_overlap": 1}
    return jobs.create(
        actor=actor,
        label_schema_id=schema.pk,
        terms=JobTerms(**(stated | {"round_pause_s": 0.0, "review_window_s": 0} | terms)),
        records=[RecordInput(f"record-{i}") for i in range(6)],
        card_hold_id=hold.pk,
    )


def held(actor, amount=HELD):
    return card_holds.authorize(actor=actor, amount_minor=amount, currency="USD")


def labeled(one, job):
    market.work(one)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    sweeper.sweep()


def ended(actor, job):
    cancellations.cancel_job(actor=actor, job_id=job.pk)
    sweeper.sweep()


def age(hold, **by):
    """Let a hold be as old as if so much time had passed."""
    MoneyOp.objects.filter(pk=hold.op_id).update(created_at=F("created_at") - datetime.timedelta(**by))


def of_kind(kind):
    return sum(LedgerAccount.objects.filter(kind=kind).values_list("balance", flat=True))


def intent(hold):
    hold.op.refresh_from_db()
    return payments.payment(hold.op.provider_id)


def settle(provider):
    """Mind the holds and run what that asked for; then no card owes anything and both books agree."""
    card_holds.mind()
    run_all()
    assert (of_kind(Kind.AUTHORIZED), of_kind(Kind.HOLD)) == (0, 0)
    return books_agree(provider)


def test_only_what_the_labels_cost_is_taken_when_the_job_has_ended(provider):
    one, actor = market.seller(50_000), customer()
    hold = held(actor)
    assert (hold.op.state, intent(hold).status) == ("authorized", "requires_capture")
    job = posted(actor, hold)
    assert (of_kind(Kind.AUTHORIZED), of_kind(Kind.HOLD), balance(actor)) == (-BUDGET, BUDGET, 0)
    labeled(one, job)
    assert card_holds.mind() == 0, "the job goes on"
    ended(actor, job)
    assert (of_kind(Kind.AUTHORIZED), of_kind(Kind.HOLD)) == (-COST, 0)
    theirs = settle(provider)
    assert (intent(hold).status, intent(hold).amount) == ("succeeded", TAKEN)
    assert theirs == TAKEN - intent(hold).fee
    hold.op.refresh_from_db()
    assert (hold.op.state, hold.op.amount_minor, balance(actor)) == ("done", TAKEN, 0)
    assert card_holds.mind() == 0
    assert reconciliation.reconcile().n_differences == 0


def test_less_than_a_cent_too_much_goes_to_the_wallet(provider):
    one, actor = market.seller(50_001), customer()
    job = posted(actor, held(actor))
    labeled(one, job)
    ended(actor, job)
    settle(provider)
    assert balance(actor) == 340_000 - (6 * 50_001 + 30_001)


def test_of_a_job_without_labels_nothing_is_taken(provider):
    actor = customer()
    hold = held(actor)
    ended(actor, posted(actor, hold))
    assert settle(provider) == 0
    assert (intent(hold).status, balance(actor)) == ("canceled", 0)


def test_an_amount_no_job_uses_is_freed_after_a_day(provider):
    actor = customer()
    hold = held(actor)
    assert card_holds.mind() == 0
    age(hold, hours=25)
    settle(provider)
    assert intent(hold).status == "canceled"
    with pytest.raises(ValidationFailedError, match="used already"):
        posted(actor, hold)


def test_before_it_runs_out_it_is_renewed_and_the_first_is_freed(provider):
    one, actor = market.seller(50_000), customer()
    first = held(actor)
    job = posted(actor, first)
    age(first, days=3, hours=17)
    assert card_holds.mind() == 0, "more than a day is left"
    age(first, hours=2)
    assert card_holds.mind() == 1
    assert card_holds.mind() == 0, "it is asked for once"
    run_all()
    assert card_holds.mind() == 1
    run_all()
    second = CardHold.objects.get(renews=first)
    assert (intent(first).status, intent(second).status) == ("canceled", "requires_capture")
    assert (second.job_id, of_kind(Kind.AUTHORIZED)) == (job.pk, -BUDGET)
    labeled(one, job)
    ended(actor, job)
    settle(provider)
    assert intent(second).amount == TAKEN


def test_a_card_that_refuses_the_renewal_ends_the_job_and_pays_what_it_owes(provider, monkeypatch):
    one, actor = market.seller(50_000), customer()
    hold = held(actor)
    job = posted(actor, hold)
    labeled(one, job)
    age(hold, days=3, hours=20)

    def refuse(**_):
        raise RefusedError("card_declined", "Your card was declined.")

    with monkeypatch.context() as patched:
        patched.setattr(card_payments, "authorize", refuse)
        card_holds.mind()
        run_all()
    assert card_holds.mind() == 1
    sweeper.sweep()
    assert Job.objects.get().state == "cancelled"
    assert RoutingEvent.objects.get(kind="card_hold.refused").facts == {"reason": "card_declined"}
    settle(provider)
    assert (intent(hold).status, intent(hold).amount) == ("succeeded", TAKEN)


def test_what_is_owed_is_taken_before_the_hold_runs_out_though_not_all_is_booked(provider):
    one, actor = market.seller(50_000), customer()
    hold = held(actor)
    job = posted(actor, hold)
    market.work(one)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    cancellations.cancel_job(actor=actor, job_id=job.pk)
    holds.release_due()
    assert card_holds.mind() == 0
    age(hold, days=4, hours=17)
    assert card_holds.mind() == 1
    run_all()
    assert intent(hold).amount == TAKEN
    assert (of_kind(Kind.AUTHORIZED), of_kind(Kind.HOLD)) == (0, COST)
    sweeper.sweep()
    assert settle(provider)


def test_whoever_dies_or_whatever_fails_it_is_taken_once(provider):
    one, actor = market.seller(50_000), customer()
    hold = held(actor)
    job = posted(actor, hold)
    labeled(one, job)
    ended(actor, job)
    stand_in.control(provider, "faults", saved_500=0.4, lost_answer=0.4)
    card_holds.mind()
    run_all()
    stand_in.control(provider, "faults")
    settle(provider)
    assert intent(hold).amount == TAKEN


@pytest.mark.parametrize("case", ["refused", "small", "foreign", "twice", "old", "currency"])
def test_a_hold_that_cannot_pay_the_job_is_refused_and_leaves_nothing(provider, case):
    actor = customer("pm_card_chargeDeclined" if case == "refused" else "pm_card_visa")
    hold = held(actor, HELD - 1 if case == "small" else HELD)
    poster = customer() if case == "foreign" else actor
    if case == "twice":
        posted(actor, hold)
    if case == "old":
        age(hold, days=4)
    before = Job.objects.count()
    terms = {"currency": "EUR"} if case == "currency" else {}
    with pytest.raises((ValidationFailedError, NotFoundError)) as refused:
        posted(poster, hold, **terms)
    assert [error["field"] for error in refused.value.errors] == ["card_hold"]
    assert Job.objects.count() == before
    assert ledger.discrepancies() == []


def test_its_budget_cannot_be_raised(provider):
    actor = customer()
    job = posted(actor, held(actor))
    with pytest.raises(CardHoldFixedError):
        budgets.raise_to(actor=actor, job_id=job.pk, budget_micro=BUDGET + 1)
