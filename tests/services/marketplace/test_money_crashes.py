"""Faults of the network and deaths of the process: whatever happens, both books say the same."""

import random
from contextlib import suppress
from dataclasses import replace
from unittest import mock

import pytest
from django.db import connection

from common import ledger, money, payments
from common.errors import ValidationFailedError
from common.ledger import InsufficientFundsError
from common.models import MoneyOp
from common.payment_types import RefusedError, UnknownOutcomeError
from marketplace.services import holds, money_flows, payouts, wallets
from tests import payments as stand_in
from tests.wallets import balance, books_agree, customer, run_all, top_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("fault", ["saved_500", "lost_answer", "lost_request", "busy", "in_flight"])
def test_no_fault_of_the_network_loses_or_doubles_a_cent(provider, fault):
    actor = customer()
    ops = [top_up(actor, 1000 + n) for n in range(12)]
    stand_in.control(provider, "faults", **{fault: 0.6})
    for _ in range(4):
        for op in ops:
            money_flows.run_op(op_id=op.pk)
    stand_in.control(provider, "faults")
    run_all()
    assert balance(actor) == sum(money.to_micro(1000 + n, "USD") for n in range(12))
    taken = [t for t in provider.books.all("payment_intent") if t["status"] == "succeeded"]
    assert sorted(t["amount"] for t in taken) == [1000 + n for n in range(12)]
    books_agree(provider)


class Died(BaseException):
    """The process is gone."""


def test_dying_at_any_statement_or_call_loses_and_doubles_nothing(provider):
    """A crash before the nth statement or call, for every n, then another process goes on."""
    actor = customer()
    survived, n_crashes = 0, 0
    for n in range(1, 60):
        op = top_up(actor, 1000)
        if run_until_death(op, n):
            n_crashes += 1
        else:
            survived += 1
        run_all()
        if survived == 2:
            break
    n_ops = n_crashes + survived
    assert survived == 2
    assert n_crashes >= 8
    assert balance(actor) == n_ops * 10_000_000
    assert sum(t["status"] == "succeeded" for t in provider.books.all("payment_intent")) == n_ops
    books_agree(provider)


def run_until_death(op, n):
    """Run an operation that dies at its nth statement; return whether it came that far."""
    count = 0

    def wrapper(execute, sql, params, many, context):
        nonlocal count
        count += 1
        if count == n:
            raise Died
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(wrapper):
            money_flows.run_op(op_id=op.pk)
    except Died:
        connection.close()
        return True
    return False


def test_without_looking_first_money_doubles(provider, monkeypatch):
    """The mutation control: take the look away, and a saved 500 that happened is paid twice."""
    actor = customer()
    ops = [top_up(actor, 1000) for _ in range(12)]
    blind = {"top_up": replace(wallets.TOP_UP, find=lambda op: None)}
    monkeypatch.setattr(money_flows, "FLOWS", money_flows.FLOWS | blind)
    stand_in.control(provider, "faults", saved_500=1)
    for op in ops:
        money_flows.run_op(op_id=op.pk)
    stand_in.control(provider, "faults")
    run_all()
    with pytest.raises(AssertionError):
        books_agree(provider)


def test_random_traffic_under_all_faults_keeps_both_books_equal(provider, monkeypatch):
    monkeypatch.setattr(payouts, "LEAST_MINOR", 10)
    rng = random.Random(5)
    actors = [customer() for _ in range(3)]
    stand_in.control(provider, "faults", saved_500=0.1, lost_answer=0.1, lost_request=0.1, busy=0.1, in_flight=0.1)
    for _ in range(60):
        actor = rng.choice(actors)
        done = MoneyOp.objects.filter(kind="top_up", state="done", organization_id=actor.organization_id).first()
        if done and rng.random() < 0.4:
            with suppress(ValidationFailedError, InsufficientFundsError):
                wallets.refund(actor=actor, top_up_id=done.pk, amount_minor=rng.randint(1, 900))
        else:
            top_up(actor, rng.randint(50, 9000))
        for op_id in MoneyOp.objects.filter(next_attempt_at__isnull=False).values_list("pk", flat=True):
            if rng.random() < 0.5:
                money_flows.run_op(op_id=op_id)
    stand_in.control(provider, "faults")
    run_all()
    paid_in = sum(t["amount"] for t in provider.books.all("payment_intent") if t["status"] == "succeeded")
    given_back = sum(t["amount"] for t in provider.books.all("refund"))
    assert sum(map(balance, actors)) == money.to_micro(paid_in - given_back, "USD")
    assert ledger.balance(holds.wallet_of(actors[0].organization_id, "EUR")) == 0
    books_agree(provider)


def test_what_came_of_an_old_key_does_not_make_a_new_one_while_another_is_under_way(provider, monkeypatch):
    """A slow runner learns that the first key is burnt when another has gone on to the second, not answered yet."""
    op = top_up(customer(), 1000)
    keys = []

    def call(op, key):
        suffix = key.rpartition("-")[2]
        keys.append(suffix)
        if len(keys) == 1:
            money_flows.run_op(op_id=op.pk)  # the first key is burnt for this runner too
            money_flows.run_op(op_id=op.pk)  # so it takes the second, and dies before the answer
        raise UnknownOutcomeError("nobody knows", is_saved=suffix == "0")

    slow = {"top_up": replace(wallets.TOP_UP, find=lambda op: None, call=call)}
    monkeypatch.setattr(money_flows, "FLOWS", money_flows.FLOWS | slow)
    for _ in range(3):
        money_flows.run_op(op_id=op.pk)
    assert keys == ["0", "0", "1", "1", "1"]


def test_a_new_key_is_not_taken_for_burnt_before_its_call(provider, monkeypatch):
    """One runner has taken a new key and not called yet; another that comes now uses the same key."""
    op = top_up(customer(), 1000)
    keys, is_between = [], False

    def call(op, key):
        keys.append(key.rpartition("-")[2])
        raise UnknownOutcomeError("nobody knows", is_saved=keys[-1] == "0")

    def between(execute, sql, params, many, context):
        nonlocal is_between
        if keys and not is_between and "attempts" in sql.partition("WHERE")[0] and sql.startswith("UPDATE"):
            is_between = True
            money_flows.run_op(op_id=op.pk)
        return execute(sql, params, many, context)

    slow = {"top_up": replace(wallets.TOP_UP, find=lambda op: None, call=call)}
    monkeypatch.setattr(money_flows, "FLOWS", money_flows.FLOWS | slow)
    money_flows.run_op(op_id=op.pk)
    with connection.execute_wrapper(between):
        money_flows.run_op(op_id=op.pk)
    assert is_between
    assert keys == ["0", "1", "1"]


def test_a_runner_that_comes_late_leaves_the_call_to_the_one_ahead(provider, monkeypatch):
    op = top_up(customer(), 1000)
    keys = []

    def call(op, key):
        keys.append(key.rpartition("-")[2])
        raise UnknownOutcomeError("burnt", is_saved=True)

    def find(op):
        if op.suffix == 0 and len(keys) == 1:
            MoneyOp.objects.filter(pk=op.pk).update(suffix=5)

    flows = {"top_up": replace(wallets.TOP_UP, find=find, call=call)}
    monkeypatch.setattr(money_flows, "FLOWS", money_flows.FLOWS | flows)
    money_flows.run_op(op_id=op.pk)
    MoneyOp.objects.filter(pk=op.pk).update(outcome=MoneyOp.Outcome.UNKNOWN)
    money_flows.run_op(op_id=op.pk)
    assert keys == ["0"]


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_refused_look_is_no_proof_that_nothing_happened(provider, settings, code):
    actor = customer()
    op = top_up(actor, 1000)
    stand_in.control(provider, "faults", lost_answer=1)
    money_flows.run_op(op_id=op.pk)
    stand_in.control(provider, "faults")
    refusal = RefusedError(str(code), "You may not see this.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payments, "find_charge", mock.Mock(side_effect=refusal))
        money_flows.run_op(op_id=op.pk)
    op.refresh_from_db()
    assert op.state == "planned"
    run_all()
    assert balance(actor) == 10_000_000
    books_agree(provider)


def test_with_a_wrong_key_to_the_provider_money_waits(provider, settings):
    actor = customer()
    op = top_up(actor, 1000)
    right, settings.STRIPE_SECRET_KEY = settings.STRIPE_SECRET_KEY, "sk_test_replaced"
    payments.forget_client()
    money_flows.run_op(op_id=op.pk)
    settings.STRIPE_SECRET_KEY = right
    payments.forget_client()
    op.refresh_from_db()
    assert op.state == "planned"
    run_all()
    assert balance(actor) == 10_000_000
