"""The harness of ``make bench-money`` in small: nothing is lost, and a safeguard taken away is noticed."""

import random

import pytest

from benchmarks.money import controls, rounding, trial
from benchmarks.money.tally import Tally
from common import money_ops, payments
from common.models import MoneyOp
from common.payment_types import BusyError
from marketplace.services import money_flows, payouts
from tests import payments as stand_in
from tests.wallets import books_agree, customer, run_all, top_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def restored(settings, monkeypatch):
    """Put back what a world changes."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.BILLING_ENABLED = "", "", True
    monkeypatch.setattr(payouts, "LEAST_MINOR", 10)
    yield
    payments.forget_client()


def test_deaths_under_all_faults_lose_nothing():
    tally = Tally()
    trial.one(tally, random.Random(3), 25, 0)
    assert tally.findings == []
    assert (tally.n_points, tally.n_worlds) == (25, 1)
    assert tally.n_operations >= 6


@pytest.mark.parametrize(
    "name", ["no look at the provider before another try", "state and entries in two transactions"]
)
def test_a_safeguard_taken_away_is_noticed(name):
    assert set(controls.ALL) >= {name}
    assert trial.without(name, 1) > 0


def test_random_settlements_lose_nothing_to_rounding():
    assert rounding.lost_micro(20_000, 5) == 0


def test_a_runner_that_was_told_to_wait_looks_before_it_tries_again(provider, monkeypatch):
    """One runner's call is under way, another is told 409; the first dies, and the provider forgets the key."""
    actor = customer()
    op = top_up(actor)
    MoneyOp.objects.filter(pk=op.pk).update(outcome="unknown")
    payments.charge(
        customer=op.facts["customer"],
        method=op.facts["method"],
        amount=5000,
        currency="USD",
        op=op.public_id,
        key=f"{op.pk}-0",
    )
    with monkeypatch.context() as patch:
        patch.setattr(payments, "find_charge", lambda **_: None)
        patch.setattr(payments, "charge", lambda **_: (_ for _ in ()).throw(BusyError("in flight")))
        patch.setattr(money_flows, "FLOWS", {"top_up": money_flows.FLOWS["top_up"]})
        money_flows.run_op(op_id=op.pk)
    op.refresh_from_db()
    assert op.outcome == money_ops.Outcome.UNKNOWN
    stand_in.control(provider, "clock", advance_s=30 * 3600)
    run_all()
    assert len([t for t in provider.books.all("payment_intent") if t["status"] == "succeeded"]) == 1
    books_agree(provider)
