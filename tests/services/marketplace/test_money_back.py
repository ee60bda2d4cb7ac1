"""Money that comes back, and requests that must change nothing: both books still say the same."""

import logging

import pytest
import stripe
from django.db import transaction

from common import ledger, payments
from common.errors import ValidationFailedError
from common.ledger import Account, InsufficientFundsError, Kind, LedgerKeyReusedError, Posting
from common.models import LedgerEntry, MoneyOp, PayoutAccount, ProviderEvent
from common.payment_types import Event
from marketplace.models import Settlement
from marketplace.services import holds, money_flows, payouts, reconciliation, wallets
from tests import market
from tests import payments as stand_in
from tests.services.marketplace.test_money import onboard, paid_vendor
from tests.wallets import balance, books_agree, customer, run_all, top_up
from vendors.selectors import standing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_payouts(provider, monkeypatch):
    monkeypatch.setattr(payouts, "LEAST_MINOR", 10)
    market.gold_set()


def hear(provider, *, backwards=False, times=2):
    """Take in what the provider told, in any order, several times."""
    money_flows.catch_up()
    for _ in range(times):
        for event in ProviderEvent.objects.order_by("-pk" if backwards else "pk"):
            ProviderEvent.objects.filter(pk=event.pk).update(due_at=event.created_at)
            money_flows.act_on(event_id=event.pk)


def settled(provider):
    """Check that both books agree, line by line and in total."""
    assert reconciliation.reconcile().n_differences == 0
    return books_agree(provider)


def paid_out(provider):
    actor = customer()
    top_up(actor)
    run_all()
    one = paid_vendor(provider, actor)
    onboard(one)
    assert payouts.pay_out_due() == 1
    return one


def reverse(provider, op, amount):
    client = stripe.StripeClient(stand_in.KEY, base_addresses={"api": provider.url}, max_network_retries=0)
    client.v1.transfers.reversals.create(op.provider_id, {"amount": amount})


@pytest.mark.parametrize("backwards", [False, True])
def test_a_reversed_transfer_is_owed_again_and_sent_again(provider, caplog, backwards):
    one = paid_out(provider)
    run_all()
    op = MoneyOp.objects.get(kind="payout")
    reverse(provider, op, 10)
    reverse(provider, op, 20)
    with caplog.at_level(logging.ERROR):
        hear(provider, backwards=backwards)
    assert caplog.text.count("was reversed") == 2
    assert payouts.owed_micro(one.vendor, "USD") == 300_000
    settled(provider)
    assert payouts.pay_out_due() == 1
    run_all()
    assert payouts.owed_micro(one.vendor, "USD") == 0
    settled(provider)


def test_a_reversal_told_before_the_transfer_is_booked_waits_for_it(provider):
    one = paid_out(provider)
    op = MoneyOp.objects.get(kind="payout")
    stand_in.control(provider, "faults", lost_answer=1.0)
    money_flows.run_op(op_id=op.pk)
    stand_in.control(provider, "faults")
    (made,) = provider.books.all("transfer")
    op.provider_id = made["id"]
    reverse(provider, op, 30)
    hear(provider, times=1)
    waiting = ProviderEvent.objects.get(kind="transfer.reversed")
    assert waiting.due_at is not None
    assert payouts.owed_micro(one.vendor, "USD") == 0
    run_all()
    hear(provider)
    assert payouts.owed_micro(one.vendor, "USD") == 300_000
    settled(provider)


def test_a_payout_the_bank_refuses_is_told_and_blocks_the_next_transfer(provider, caplog):
    one = paid_out(provider)
    run_all()
    account = PayoutAccount.objects.get()
    with caplog.at_level(logging.ERROR):
        stand_in.control(provider, "fail_payout", account=account.provider_id, amount="30", currency="usd")
        hear(provider)
    assert "refused a payout" in caplog.text
    account.refresh_from_db()
    assert (account.is_ready, account.missing) == (False, ["external_account"])
    assert [r.code for r in standing.requirements(one.vendor).eventually_due] == ["payout.account"]
    assert payouts.pay_out_due() == 0
    assert provider.books.balances[account.provider_id, "usd"] == 30
    settled(provider)


@pytest.mark.parametrize(("status", "lost"), [("won", 0), ("lost", -50_000_000)])
def test_a_closed_dispute_leaves_what_was_lost(provider, status, lost):
    actor = customer()
    op = top_up(actor)
    run_all()
    op.refresh_from_db()
    made = stand_in.control(provider, "dispute", payment_intent=op.provider_id)
    hear(provider)
    assert ledger.balance(Account(Kind.DISPUTES, "USD")) == -50_000_000
    settled(provider)
    stand_in.control(provider, "close_dispute", dispute=made["id"], status=status)
    hear(provider, backwards=True)
    assert ledger.balance(Account(Kind.DISPUTES, "USD")) == lost
    assert ledger.balance(Account(Kind.PROVIDER_FEES, "USD")) == -1_750_000 - 15_000_000
    settled(provider)


def test_a_refund_that_does_not_arrive_is_back_in_the_wallet(provider):
    actor = customer()
    op = top_up(actor)
    run_all()
    refund = wallets.refund(actor=actor, top_up_id=op.pk, amount_minor=4000)
    run_all()
    refund.refresh_from_db()
    stand_in.control(provider, "fail_refund", refund=refund.provider_id)
    hear(provider)
    assert balance(actor) == 50_000_000
    settled(provider)


def test_a_refund_above_the_charge_is_refused_by_the_provider_too(provider):
    """Somebody refunded by hand at the provider; ours fails and the money is back in the wallet."""
    actor = customer()
    op = top_up(actor)
    run_all()
    op.refresh_from_db()
    provider.books.get("charge", provider.books.get("payment_intent", op.provider_id)["latest_charge"])[
        "amount_refunded"
    ] = 4000
    refund = wallets.refund(actor=actor, top_up_id=op.pk, amount_minor=2000)
    run_all()
    refund.refresh_from_db()
    assert (refund.state, refund.error_code, balance(actor)) == ("failed", "amount_too_large", 50_000_000)
    settled(provider)


def test_another_amount_than_asked_for_is_never_booked(provider, monkeypatch, caplog):
    actor = customer()
    op = top_up(actor)
    real = payments.charge
    monkeypatch.setattr(payments, "charge", lambda **asked: real(**(asked | {"amount": asked["amount"] + 1})))
    with caplog.at_level(logging.ERROR):
        money_flows.run_op(op_id=op.pk)
    op.refresh_from_db()
    assert (op.state, balance(actor)) == ("planned", 0)
    assert "asked for 5000 USD" in caplog.text
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("amount", [-1, 0, 49, 100_000_000, 10**13, 2**63])
def test_amounts_out_of_range_are_refused_and_leave_nothing(provider, amount):
    actor = customer()
    with pytest.raises(ValidationFailedError, match="50 to 99999999 minor units"):
        top_up(actor, amount)
    assert not MoneyOp.objects.exists()


@pytest.mark.parametrize("amount", [-1, 0, 2**63])
def test_the_ledger_takes_no_amount_out_of_range(amount):
    with pytest.raises(ValueError, match="an amount is 1 to"):
        Posting("k", Account(Kind.PROVIDER, "USD"), Account(Kind.SUSPENSE, "USD"), amount, "")


def test_currencies_never_mix():
    with pytest.raises(ValueError, match="would move USD into EUR"):
        Posting("k", Account(Kind.PROVIDER, "USD"), Account(Kind.SUSPENSE, "EUR"), 1, "")


def test_a_job_in_another_currency_is_not_paid_from_this_wallet(provider):
    actor = customer()
    top_up(actor)
    run_all()
    with pytest.raises(InsufficientFundsError):
        market.job(actor, n_gold=0, min_overlap=1, budget_micro=1_000_000, currency="EUR")
    assert balance(actor) == 50_000_000


def test_a_settled_batch_is_settled_once(provider):
    actor = customer()
    top_up(actor)
    run_all()
    one = paid_vendor(provider, actor)
    paid = Settlement.objects.get()
    before = LedgerEntry.objects.count()
    Settlement.objects.update(post_due_at=paid.created_at)
    assert holds.post_due() == 1
    assert (LedgerEntry.objects.count(), payouts.owed_micro(one.vendor, "USD")) == (before, 300_000)
    Settlement.objects.update(post_due_at=paid.created_at, vendor_micro=paid.vendor_micro + 1)
    with pytest.raises(LedgerKeyReusedError):
        holds.post_due()
    with transaction.atomic():
        assert payouts.owed_micro(one.vendor, "USD") == 300_000


def test_events_about_things_that_are_not_ours_change_nothing(provider):
    thing = provider.books.make("tr", "transfer", metadata={"labelyard_op": "mop_forged"}, amount=5, currency="usd")
    for number, (kind, about) in enumerate([("transfer.reversed", thing["id"]), ("payout.failed", "po_1")]):
        money_flows.take_in(Event(f"evt_{number}", kind, about, {"account": "acct_nobody"}))
    for event in ProviderEvent.objects.all():
        money_flows.act_on(event_id=event.pk)
    assert not ProviderEvent.objects.filter(due_at__isnull=False).exists()
    assert not LedgerEntry.objects.exists()
