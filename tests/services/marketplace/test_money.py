"""Money through the provider: in, back, out; whatever fails and wherever we die, both books say the same."""

import datetime
import os
import time

import httpx
import pytest

from common import ledger, payments
from common.clock import Now
from common.errors import ValidationFailedError
from common.ledger import Account, InsufficientFundsError, Kind
from common.models import LedgerEntry, MoneyOp, PayoutAccount, ProviderEvent
from common.payment_types import Event, SignatureError
from embedded.payments.webhooks import signature
from marketplace.errors import PaymentRefusedError
from marketplace.services import money_flows, payouts, sweeper, vetting, wallets
from tests import market
from tests import payments as stand_in
from tests.wallets import balance, books_agree, customer, run_all, top_up
from vendors.selectors import standing

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_tests"


@pytest.fixture(autouse=True)
def secrets(provider, settings):
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    market.gold_set()


def paid_vendor(provider, actor):
    """Let a vendor earn 6 x 0.05 USD, with a payout account ready."""
    one = market.seller(50_000)
    job = market.job(actor, n_gold=0, min_overlap=1, max_overlap=1, budget_micro=1_000_000)
    market.work(one)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    sweeper.sweep()
    return one


def onboard(one):
    link = payouts.open_account(actor=one.actor, return_url="http://127.0.0.1/back")
    assert httpx.post(link).status_code == 303
    account = PayoutAccount.objects.get(organization_id=one.actor.organization_id)
    assert payouts.refresh_account(account.provider_id).is_ready


def test_a_top_up_fills_the_wallet_less_nothing(provider):
    actor = customer()
    top_up(actor)
    assert balance(actor) == 0
    run_all()
    assert balance(actor) == 50_000_000
    assert ledger.balance(Account(Kind.PROVIDER_FEES, "USD")) == -1_750_000
    assert books_agree(provider) == 4825


def test_a_declined_card_moves_nothing_and_says_why(provider):
    actor = customer("pm_card_chargeDeclinedInsufficientFunds")
    op = top_up(actor)
    run_all()
    op.refresh_from_db()
    assert (op.state, op.error_code, balance(actor)) == ("failed", "card_declined", 0)
    assert not LedgerEntry.objects.exists()


def test_a_bank_debit_counts_when_it_has_arrived(provider):
    actor = customer("pm_usBankAccount_success")
    op = top_up(actor)
    money_flows.run_op(op_id=op.pk)
    op.refresh_from_db()
    assert (op.state, balance(actor)) == ("processing", 0)
    stand_in.control(provider, "clock", advance_s=5 * 86400)
    run_all()
    assert balance(actor) == 50_000_000
    books_agree(provider)


def test_an_unknown_card_is_refused_by_the_provider(provider):
    with pytest.raises(PaymentRefusedError, match="No such PaymentMethod"):
        customer("pm_nothing")


def test_a_refund_gives_back_no_more_than_came_and_is_there(provider):
    actor = customer()
    op = top_up(actor)
    run_all()
    wallets.refund(actor=actor, top_up_id=op.pk, amount_minor=4000)
    assert balance(actor) == 10_000_000
    with pytest.raises(ValidationFailedError, match="1000 minor units"):
        wallets.refund(actor=actor, top_up_id=op.pk, amount_minor=1001)
    run_all()
    assert (balance(actor), ledger.balance(wallets.on_its_way(op))) == (10_000_000, 0)
    books_agree(provider)


def test_money_held_by_a_job_cannot_be_given_back(provider):
    actor = customer()
    op = top_up(actor, 100)
    run_all()
    market.seller(50_000)
    market.job(actor, n_gold=0, min_overlap=1, budget_micro=1_000_000)
    with pytest.raises(InsufficientFundsError):
        wallets.refund(actor=actor, top_up_id=op.pk, amount_minor=100)
    assert MoneyOp.objects.count() == 1


def test_a_vendor_is_sent_the_whole_cents_it_earned_once(provider, monkeypatch):
    actor = customer()
    top_up(actor)
    run_all()
    one = paid_vendor(provider, actor)
    assert payouts.pay_out_due() == 0, "no account yet"
    onboard(one)
    assert payouts.pay_out_due() == 0, "0.30 USD waits for more"
    monkeypatch.setattr(payouts, "LEAST_MINOR", 10)
    assert [payouts.pay_out_due(), payouts.pay_out_due()] == [1, 0]
    run_all()
    assert payouts.owed_micro(one.vendor, "USD") == 0
    account = PayoutAccount.objects.get().provider_id
    assert provider.books.balances[account, "usd"] == 30
    books_agree(provider)


def test_the_requirements_say_what_the_payout_account_lacks(provider):
    one = market.seller(50_000)
    due = [(r.code, r.detail) for r in standing.requirements(one.vendor).eventually_due]
    assert [code for code, _ in due] == ["payout.account"]
    payouts.open_account(actor=one.actor, return_url="http://127.0.0.1/back")
    assert "external_account" in standing.requirements(one.vendor).eventually_due[0].detail
    onboard(one)
    assert standing.requirements(one.vendor).eventually_due == ()


def test_a_refused_transfer_goes_back_to_what_is_owed(provider, monkeypatch):
    monkeypatch.setattr(payouts, "LEAST_MINOR", 10)
    actor = customer()
    top_up(actor)
    run_all()
    one = paid_vendor(provider, actor)
    onboard(one)
    provider.books.things[PayoutAccount.objects.get().provider_id]["capabilities"]["transfers"] = "inactive"
    payouts.pay_out_due()
    run_all()
    assert MoneyOp.objects.get(kind="payout").error_code == "insufficient_capabilities_for_transfer"
    assert payouts.owed_micro(one.vendor, "USD") == 300_000
    books_agree(provider)


def test_an_event_counts_once_however_often_it_comes(provider):
    actor = customer("pm_usBankAccount_success")
    op = top_up(actor)
    money_flows.run_op(op_id=op.pk)
    stand_in.control(provider, "clock", advance_s=5 * 86400)
    op.refresh_from_db()
    event = Event("evt_1", "payment_intent.succeeded", op.provider_id)
    assert [money_flows.take_in(event), money_flows.take_in(event)] == [True, False]
    kept = ProviderEvent.objects.get()
    money_flows.act_on(event_id=kept.pk)
    money_flows.act_on(event_id=kept.pk)
    run_all()
    assert balance(actor) == 50_000_000
    assert ProviderEvent.objects.get().due_at is None


def test_events_that_webhooks_lost_are_fetched(provider):
    actor = customer()
    top_up(actor)
    run_all()
    assert money_flows.catch_up() == 2
    assert money_flows.catch_up() == 0


def test_what_webhooks_lost_is_found_after_hours_in_which_others_came(provider, django_assert_num_queries):
    actor = customer()
    top_up(actor)
    run_all()
    money_flows.catch_up()
    top_up(actor)
    run_all()
    lost = [event["id"] for event in provider.books.events[2:]]
    stand_in.control(provider, "clock", advance_s=5 * 3600)
    top_up(actor)
    run_all()
    for event in provider.books.events[2 + len(lost) :]:
        money_flows.take_in(Event(event["id"], event["type"], event["data"]["object"]["id"]))
    ProviderEvent.objects.filter(listed_at_s=None).update(created_at=Now() + datetime.timedelta(hours=5))
    with django_assert_num_queries(5):  # the last, those known, and one insert in a savepoint
        assert money_flows.catch_up() == len(lost) == 2
    assert ProviderEvent.objects.filter(provider_id__in=lost, due_at__isnull=False).count() == 2
    assert ProviderEvent.objects.count() == 6


def test_a_forged_or_old_webhook_is_refused(provider):
    payload = '{"id": "evt_1", "type": "x", "data": {"object": {"id": "pi_1"}}}'
    good = signature(payload, SECRET, int(time.time()))
    assert payments.verified_event(payload.encode(), good).object_id == "pi_1"
    for bad in (signature(payload, "whsec_other", 10**10), signature(payload, SECRET, 1), "", "t=x,v1=y"):
        with pytest.raises(SignatureError):
            payments.verified_event(payload.encode(), bad)
    with pytest.raises(SignatureError):
        payments.verified_event(payload.replace("pi_1", "pi_2").encode(), good)


def test_a_forked_process_opens_a_connection_of_its_own(provider):
    payments.balance_changes(since=0)
    pid = os.fork()
    if not pid:
        os._exit(payments.client.cache_info().currsize)
    assert payments.client.cache_info().currsize == 1
    assert os.waitpid(pid, 0)[1] == 0


def test_a_dispute_is_booked_once_and_the_books_still_agree(provider):
    actor = customer()
    op = top_up(actor)
    run_all()
    op.refresh_from_db()
    stand_in.control(provider, "dispute", payment_intent=op.provider_id)
    money_flows.catch_up()
    for event in list(ProviderEvent.objects.all()) * 2:
        ProviderEvent.objects.filter(pk=event.pk).update(due_at=event.created_at)
        money_flows.act_on(event_id=event.pk)
    assert ledger.balance(Account(Kind.DISPUTES, "USD")) == -50_000_000
    assert books_agree(provider) == 4825 - 5000 - 1500
