"""The ledger: it balances by construction, books once, refuses overdrafts, and cannot be rewritten."""

import threading
import uuid

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.db.models import F

from common import ledger
from common.ledger import Account, InsufficientFundsError, Kind, LedgerKeyReusedError, Posting
from common.models import LedgerAccount, LedgerEntry

pytestmark = pytest.mark.django_db(transaction=True)
PROVIDER = Account(Kind.PROVIDER, "USD")


def wallet(owner=None):
    return Account(Kind.WALLET, "USD", owner or uuid.uuid4())


def book(*postings):
    with transaction.atomic():
        return ledger.post(postings)


def fill(account, amount, key="top-up"):
    return book(Posting(key, PROVIDER, account, amount, "top-up"))


def test_what_one_account_loses_another_gets():
    mine = wallet()
    assert fill(mine, 500) == 1
    assert (ledger.balance(mine), ledger.balance(PROVIDER)) == (500, -500)
    assert ledger.discrepancies() == []


def test_a_retry_books_nothing_twice():
    mine = wallet()
    assert [fill(mine, 500), fill(mine, 500)] == [1, 0]
    assert ledger.balance(mine) == 500


def test_a_key_names_one_movement_for_ever():
    mine = wallet()
    fill(mine, 500)
    with pytest.raises(LedgerKeyReusedError):
        fill(mine, 501)
    assert ledger.balance(mine) == 500


def test_an_overdraft_is_refused_and_nothing_of_the_group_is_booked():
    mine, other = wallet(), wallet()
    fill(mine, 500)
    with pytest.raises(InsufficientFundsError) as refused:
        book(Posting("a", mine, other, 400, "x"), Posting("b", mine, other, 101, "x"))
    assert refused.value.facts == {"needed_micro": 501, "available_micro": 500, "currency": "USD"}
    assert (ledger.balance(mine), ledger.balance(other)) == (500, 0)


def test_the_database_refuses_an_overdraft_that_the_code_let_through(monkeypatch):
    monkeypatch.setattr(ledger, "_refuse_overdraft", lambda *_: None)
    with pytest.raises(IntegrityError, match="account_not_overdrawn"):
        book(Posting("a", wallet(), PROVIDER, 1, "x"))


def test_a_wallet_with_invoice_terms_goes_below_zero_down_to_its_floor():
    mine = wallet()
    with transaction.atomic():
        ledger.set_floor(mine, -100)
    book(Posting("a", mine, PROVIDER, 100, "x"))
    with pytest.raises(InsufficientFundsError):
        book(Posting("b", mine, PROVIDER, 1, "x"))
    assert ledger.balance(mine) == -100


@pytest.mark.parametrize("amount", [0, -1, 10**17 + 1])
def test_an_amount_out_of_range_is_refused(amount):
    with pytest.raises(ValueError, match="amount"):
        Posting("a", PROVIDER, wallet(), amount, "x")


def test_currencies_do_not_mix():
    with pytest.raises(ValueError, match="USD into EUR"):
        Posting("a", PROVIDER, Account(Kind.WALLET, "EUR", uuid.uuid4()), 1, "x")
    fill(wallet(), 1)
    euro = LedgerAccount.objects.create(kind=Kind.SUSPENSE, currency="EUR")
    usd = LedgerAccount.objects.get(pk=PROVIDER.id)
    with pytest.raises(IntegrityError, match="between currencies"), transaction.atomic():
        LedgerEntry.objects.create(key="b", debit=usd, credit=euro, amount=1, currency="USD", memo="x")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE common_ledgerentry SET amount = amount + 1",
        "DELETE FROM common_ledgerentry",
        "UPDATE common_ledgeraccount SET balance = balance + 1",
        "DELETE FROM common_ledgeraccount",
        "INSERT INTO common_ledgeraccount (id, kind, currency, balance) VALUES (uuidv7(), 'suspense', 'EUR', 5)",
    ],
)
def test_the_books_cannot_be_rewritten(statement):
    fill(wallet(), 500)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert ledger.discrepancies() == []


def test_discrepancies_are_found_when_the_guard_is_off():
    mine = wallet()
    fill(mine, 500)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE common_ledgeraccount DISABLE TRIGGER account_balance_guard")
        LedgerAccount.objects.filter(pk=mine.id).update(balance=F("balance") + 1)
        cursor.execute("ALTER TABLE common_ledgeraccount ENABLE TRIGGER account_balance_guard")
    assert len(ledger.discrepancies()) == 2


def test_racing_transfers_lose_nothing_and_never_overdraw():
    mine, other = wallet(), wallet()
    fill(mine, 50)
    barrier, refused = threading.Barrier(8), []

    def spend(number):
        barrier.wait()
        for i in range(10):
            source, target = (mine, other) if i % 3 else (other, mine)
            try:
                book(Posting(f"{number}-{i}", source, target, 3, "x"))
            except InsufficientFundsError:
                refused.append(number)
        connection.close()

    threads = [threading.Thread(target=spend, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.balance(mine) + ledger.balance(other) == 50
    assert LedgerEntry.objects.count() == 81 - len(refused)
    assert ledger.discrepancies() == []


def test_a_posting_takes_the_same_queries_however_many_there_are(django_assert_num_queries):
    owners = [wallet() for _ in range(20)]
    book(*(Posting(f"first-{n}", PROVIDER, owner, 100, "x") for n, owner in enumerate(owners)))
    with transaction.atomic(), django_assert_num_queries(4):
        ledger.post([Posting(f"again-{n}", PROVIDER, owner, 100, "x") for n, owner in enumerate(owners)])
