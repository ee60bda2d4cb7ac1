"""Our books against the provider's: honest ones raise no alarm, each difference is kept, told and held in suspense."""

import datetime
import json
import logging

import pytest
from django.core.management import call_command
from django.db import transaction

from common import ledger
from common.clock import database_now
from common.errors import PermissionDeniedError
from common.ledger import Account, Kind, Posting
from common.models import MoneyOp, ReconciliationDifference, ReconciliationRun
from marketplace.selectors import money as money_selectors
from marketplace.services import disputed_payments, money_flows, reconciliation, wallets
from tests import market
from tests import payments as stand_in
from tests.wallets import balance, books_agree, customer, run_all, top_up

pytestmark = pytest.mark.django_db(transaction=True)
PROVIDER, SUSPENSE = Account(Kind.PROVIDER, "USD"), Account(Kind.SUSPENSE, "USD")


@pytest.fixture(autouse=True)
def fresh(provider):
    """Start each test with an empty provider."""


def differing():
    run = reconciliation.reconcile()
    rows = ReconciliationDifference.objects.filter(resolved_at=None).order_by("pk")
    return run, [(row.kind, row.reference, row.suspense_micro) for row in rows]


def traffic():
    """Top up, refund and dispute; return the operations."""
    actor = customer()
    ops = [top_up(actor, 1000 + n) for n in range(5)]
    run_all()
    ops.append(wallets.refund(actor=actor, top_up_id=ops[0].pk, amount_minor=300))
    run_all()
    return actor, ops


def test_an_honest_history_raises_no_alarm(provider):
    _, ops = traffic()
    ops[1].refresh_from_db()
    stand_in.control(provider, "dispute", payment_intent=ops[1].provider_id)
    disputed_payments.refresh(ops[1].provider_id)
    run, rows = differing()
    assert rows == []
    assert (run.n_theirs, run.n_ours, run.n_new, run.book_problems) == (7, 7, 0, [])


def test_more_than_a_page_of_movements_is_compared(provider):
    actor = customer()
    for number in range(60):
        top_up(actor, 50 + number)
    run_all()
    for op in MoneyOp.objects.order_by("pk")[:60]:
        wallets.refund(actor=actor, top_up_id=op.pk, amount_minor=1)
    run_all()
    run, rows = differing()
    assert (run.n_theirs, rows) == (120, [])


def test_money_nobody_here_knows_of_stands_in_suspense(provider, caplog):
    traffic()
    provider.books.move("adjustment", 700, 0, "usd", "adj_1")
    with caplog.at_level(logging.ERROR):
        run, rows = differing()
    assert rows == [("missing_here", "adj_1", 7_000_000)]
    assert (run.n_new, ledger.balance(SUSPENSE)) == (1, 7_000_000)
    assert "missing_here" in caplog.text
    books_agree(provider)
    run, again = differing()
    assert (run.n_new, again, ledger.balance(SUSPENSE)) == (0, rows, 7_000_000)


def test_a_movement_that_is_gone_there_and_one_of_another_amount(provider):
    _, ops = traffic()
    things = provider.books.things
    lines = [t for t in things.values() if t["object"] == "balance_transaction"]
    del things[lines[0]["id"]]
    lines[1]["amount"] += 5
    _, rows = differing()
    assert rows == [("missing_there", ops[0].public_id, -9_410_000), ("amount", ops[1].public_id, 50_000)]
    assert ledger.discrepancies() == []


def test_a_payment_taken_twice_is_a_duplicate(provider):
    actor, ops = traffic()
    charge = next(t for t in provider.books.all("charge") if t["metadata"]["labelyard_op"] == ops[2].public_id)
    provider.books.move("charge", charge["amount"], 59, "usd", charge["id"])
    _, rows = differing()
    assert rows == [("duplicate", ops[2].public_id, 9_430_000)]
    assert balance(actor) == 50_100_000 - 3_000_000, "suspense, not the customer's wallet"


def test_another_currency_is_named_on_both_sides(provider):
    _, ops = traffic()
    line = next(t for t in provider.books.things.values() if t["object"] == "balance_transaction")
    line["currency"] = "eur"
    _, rows = differing()
    assert sorted(rows) == [("currency", ops[0].public_id, -9_410_000), ("currency", ops[0].public_id, 9_410_000)]


def test_an_operation_under_way_is_no_difference_until_it_is_overdue(provider):
    actor = customer()
    op = top_up(actor)
    stand_in.control(provider, "faults", lost_answer=1.0)
    money_flows.run_op(op_id=op.pk)
    assert differing()[1] == []
    line = next(t for t in provider.books.things.values() if t["object"] == "balance_transaction")
    line["created"] -= 2 * 3600
    _, rows = differing()
    assert rows == [("state", op.public_id, 48_250_000)]
    stand_in.control(provider, "faults")
    run_all()
    assert balance(actor) == 50_000_000
    _, rows = differing()
    assert (rows, ledger.balance(SUSPENSE)) == ([], 0)
    assert ReconciliationDifference.objects.get().resolved_at is not None
    books_agree(provider)


def test_money_that_moved_for_an_operation_we_gave_up_is_told(provider):
    actor = customer()
    op = top_up(actor)
    stand_in.control(provider, "faults", lost_answer=1.0)
    money_flows.run_op(op_id=op.pk)
    MoneyOp.objects.filter(pk=op.pk).update(state="failed", next_attempt_at=None)
    assert differing()[1] == [("state", op.public_id, 48_250_000)]


def test_an_entry_without_a_movement_there_is_told():
    with transaction.atomic():
        wallet = wallets.wallet_of(market.customer().organization_id, "USD")
        ledger.post([Posting("by hand", PROVIDER, wallet, 5_000_000, "Oops", "by hand")])
    assert differing()[1] == [("missing_there", "by hand", -5_000_000)]


def test_what_looks_like_one_of_our_operations_but_is_none_stops_nothing(provider):
    thing = provider.books.make("ch", "charge", metadata={"labelyard_op": "mop_not-an-id"})
    provider.books.move("charge", 100, 0, "usd", thing["id"])
    assert differing()[1] == [("missing_here", "mop_not-an-id", 1_000_000)]


def test_a_bank_debit_booked_long_after_it_was_planned_is_no_difference(provider):
    actor = customer("pm_usBankAccount_success")
    op = top_up(actor)
    money_flows.run_op(op_id=op.pk)
    stand_in.control(provider, "clock", advance_s=-5 * 86400)
    MoneyOp.objects.filter(pk=op.pk).update(created_at=database_now() - datetime.timedelta(days=10))
    provider.books.things[MoneyOp.objects.get(pk=op.pk).provider_id]["settles_at"] = 0
    run_all()
    assert balance(actor) == 50_000_000
    assert differing()[1] == []


def test_the_command_shows_what_differs_and_fails(provider, capsys):
    traffic()
    call_command("reconcile")
    assert "6 movements there, 6 here, 0 differ" in capsys.readouterr().out
    provider.books.move("adjustment", 700, 0, "usd", "adj_1")
    with pytest.raises(SystemExit):
        call_command("reconcile", days=1)
    assert "adj_1" in capsys.readouterr().out


def test_staff_alone_sees_runs_and_differences(provider, django_assert_num_queries):
    provider.books.move("adjustment", 700, 0, "usd", "adj_1")
    reconciliation.reconcile()
    with django_assert_num_queries(2):
        assert [row.n_differences for row in money_selectors.reconciliation_runs(market.staff())] == [1]
    rows = money_selectors.reconciliation_differences(market.staff(), is_open=True)
    assert json.dumps([row.reference for row in rows]) == '["adj_1"]'
    assert not money_selectors.reconciliation_differences(market.staff(), is_open=False).exists()
    with pytest.raises(PermissionDeniedError):
        money_selectors.reconciliation_runs(customer())
    assert ReconciliationRun.objects.count() == 1
