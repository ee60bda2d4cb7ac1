"""Statements: each entry on exactly one, numbers without gaps, nothing changed afterwards, the arithmetic exact."""

import csv
import datetime
import io
import threading

import pytest
from django.db import DatabaseError, connection, transaction

from common import ledger
from common.clock import database_now
from common.ledger import Account, Kind, Posting
from common.models import LedgerEntry, Organization
from marketplace.models import BillingProfile, Statement, StatementNumber
from marketplace.selectors import statements as selectors
from marketplace.services import cancellations, holds, statements, sweeper, vetting
from tests import market
from tests.services.marketplace.test_holds import customer_with

pytestmark = pytest.mark.django_db(transaction=True)
BUDGET = 2_000_000
PROFILE = {
    "legal_name": "Owls Ltd",
    "address": "1 Tree",
    "country": "GB",
    "tax_id": "GB1",
    "tax_note": "Reverse charge.",
}


@pytest.fixture(autouse=True)
def billed(settings):
    settings.BILLING_ENABLED = True
    market.gold_set()


def next_month():
    """Return a day of next month: this month is the last one then."""
    return (database_now().date().replace(day=1) + datetime.timedelta(days=32)).replace(day=3)


def a_paid_job():
    one, actor = market.seller(50_000), customer_with(BUDGET)
    job = market.job(actor, n_gold=0, min_overlap=1, max_overlap=1, budget_micro=BUDGET)
    market.work(one)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    sweeper.sweep()
    return one, actor, job


def fill(organization, amount=1_000_000, currency="USD", memo="top-up"):
    wallet = holds.wallet_of(organization.pk, currency)
    with transaction.atomic():
        key = f"fill/{wallet.owner}/{LedgerEntry.objects.count()}"
        ledger.post([Posting(key, Account(Kind.PROVIDER, currency), wallet, amount, memo, "mop_x")])


def test_a_month_is_told_to_both_sides_to_the_micro_unit():
    one, actor, job = a_paid_job()
    assert statements.issue_due(today=next_month()) == 2
    bought = Statement.objects.get(kind="invoice")
    earned = Statement.objects.get(kind="statement")
    assert [(x["memo"], x["for"], x["n_entries"], x["amount_micro"]) for x in bought.lines] == [
        ("Fee", job.public_id, 1, -30_000),
        ("Labels", job.public_id, 1, -300_000),
        ("top-up", "", 1, BUDGET),
    ]
    assert (bought.opening_micro, bought.turnover_micro, bought.closing_micro) == (0, -330_000, BUDGET - 330_000)
    assert [(x["memo"], x["for"], x["amount_micro"]) for x in earned.lines] == [("Labels", job.public_id, 300_000)]
    owed = ledger.balance(holds.payable_to(one.vendor_id, one.actor.organization_id, "USD"))
    assert earned.closing_micro == earned.turnover_micro == owed
    held = ledger.balance(holds.hold_of(job)) + ledger.balance(holds.wallet_of(actor.organization_id, "USD"))
    assert bought.closing_micro == held


def test_what_moves_between_wallet_and_hold_is_no_line():
    _, actor, job = a_paid_job()
    cancellations.cancel_job(actor=actor, job_id=job.pk)
    sweeper.sweep()
    statements.issue_due(today=next_month())
    bought = Statement.objects.get(kind="invoice")
    assert {line["memo"] for line in bought.lines} == {"Fee", "Labels", "top-up"}
    assert bought.closing_micro == ledger.balance(holds.wallet_of(actor.organization_id, "USD"))


def test_the_next_month_goes_on_where_this_one_ends():
    organization = Organization.objects.create(name="C", kind="customer")
    fill(organization, 700)
    month = next_month()
    statements.issue_due(today=month)
    with connection.cursor() as cursor:  # a movement of next month: no clock of ours can be moved, the row's can be set
        cursor.execute("ALTER TABLE common_ledgerentry DISABLE TRIGGER entry_append_only")
        fill(organization, 11)
        cursor.execute(
            "UPDATE common_ledgerentry SET created_at = %s WHERE amount = 11",
            [datetime.datetime.combine(month, datetime.time(), datetime.UTC)],
        )
        cursor.execute("ALTER TABLE common_ledgerentry ENABLE TRIGGER entry_append_only")
    assert statements.issue_due(today=(month + datetime.timedelta(days=32)).replace(day=2)) == 1
    first, second = Statement.objects.order_by("number")
    assert (first.closing_micro, second.opening_micro, second.closing_micro) == (700, 700, 711)
    assert [line["amount_micro"] for line in second.lines] == [11]
    assert (first.number, second.number) == (1, 2)


def test_the_running_month_and_its_first_day_are_not_closed():
    fill(Organization.objects.create(name="C", kind="customer"))
    assert statements.issue_due() == 0
    first_day = next_month().replace(day=1)
    assert statements.issue_due(today=first_day - datetime.timedelta(days=1)) == 0
    assert statements.issue_due(today=first_day) == 1


def test_issued_by_several_at_once_each_is_there_once_and_numbers_have_no_gaps():
    for number in range(7):
        organization = Organization.objects.create(name=f"C{number}", kind="customer")
        fill(organization)
        fill(organization, currency="EUR")
    issued = []

    def issue():
        try:
            issued.append(statements.issue_due(today=next_month()))
        finally:
            connection.close()

    threads = [threading.Thread(target=issue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(issued) == 4
    assert sum(issued) == 14
    assert sorted(Statement.objects.values_list("number", flat=True)) == list(range(1, 15))
    assert StatementNumber.objects.get().last == 14


class Died(BaseException):
    """The process is gone."""


def test_dying_at_any_statement_leaves_no_gap_and_no_half(monkeypatch):
    for number in range(3):
        fill(Organization.objects.create(name=f"C{number}", kind="customer"))
    n_deaths = 0
    for n in range(1, 80):
        count = 0

        def dying(execute, sql, params, many, context, n=n):
            nonlocal count
            count += 1
            if count == n:
                raise Died
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(dying):
                statements.issue_due(today=next_month())
            break
        except Died:
            n_deaths += 1
            connection.close()
    assert n_deaths > 30
    assert sorted(Statement.objects.values_list("number", flat=True)) == [1, 2, 3]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE marketplace_statement SET closing_micro = 0",
        "DELETE FROM marketplace_statement",
        "TRUNCATE marketplace_statement",
    ],
)
def test_an_issued_statement_never_changes(sql):
    fill(Organization.objects.create(name="C", kind="customer"))
    statements.issue_due(today=next_month())
    with connection.cursor() as cursor:
        cursor.execute("SET labelyard.allow_truncate = 'off'")
        try:
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                cursor.execute(sql)
        finally:
            cursor.execute("RESET labelyard.allow_truncate")
    assert Statement.objects.get().closing_micro == 1_000_000


def test_the_profile_is_copied_as_it_was():
    actor = customer_with(BUDGET)
    statements.set_profile(actor=actor, **PROFILE)
    statements.issue_due(today=next_month())
    statements.set_profile(actor=actor, **PROFILE | {"legal_name": "Bats Ltd"})
    assert Statement.objects.get().party == PROFILE
    assert BillingProfile.objects.get().legal_name == "Bats Ltd"


def test_csv_is_exact_and_calculates_nothing_by_itself():
    organization = Organization.objects.create(name="C", kind="customer")
    fill(organization, 5, memo='=cmd("a,b")')
    statements.issue_due(today=next_month())
    rows = list(csv.DictReader(io.StringIO(selectors.as_csv(Statement.objects.get()))))
    assert [row["description"] for row in rows] == ["Opening balance", '\'=cmd("a,b")', "Closing balance"]
    assert [row["amount"] for row in rows] == ["0.000000", "0.000005", "0.000005"]


def test_the_number_of_queries_does_not_grow_with_the_entries(django_assert_max_num_queries):
    organization = Organization.objects.create(name="C", kind="customer")
    for _ in range(30):
        fill(organization)
    with django_assert_max_num_queries(52):  # three for each of twelve months, the rest for the one statement
        assert statements.issue_due(today=next_month()) == 1
