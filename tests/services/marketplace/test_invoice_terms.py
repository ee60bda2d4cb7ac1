"""Invoice terms: spent within the limit, asked for by an invoice, refused while one is overdue, never paid out."""

import datetime
import threading

import pytest
from django.db import connection, transaction

from common import ledger
from common.clock import database_now
from common.errors import PermissionDeniedError, ValidationFailedError
from common.ledger import Account, InsufficientFundsError, Kind, Posting
from common.models import Organization
from marketplace.errors import InvoiceOverdueError
from marketplace.models import InvoiceTerms, Job, Statement
from marketplace.selectors import credit as selectors
from marketplace.services import (
    bonuses,
    budgets,
    cancellations,
    credit,
    holds,
    invoice_terms,
    statements,
    sweeper,
    vetting,
)
from tests import market
from tests.services.marketplace.test_statements import billed, fill  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT = 3_000_000


@pytest.fixture
def actor():
    made = market.customer()
    grant(made)
    return made


def grant(actor, limit_micro=LIMIT, days=30):
    return invoice_terms.grant(
        actor=market.staff(), organization_id=actor.organization_id, currency="USD", limit_micro=limit_micro, days=days
    )


def post(actor, budget_micro=2_000_000):
    return market.job(actor, n_gold=0, min_overlap=1, max_overlap=1, budget_micro=budget_micro)


def wallet(actor):
    return ledger.balance(holds.wallet_of(actor.organization_id, "USD"))


def invoiced(actor, days_later=1):
    """Buy labels on credit in the month before; return the job, its invoice and a day after its due day."""
    one, job = market.seller(50_000), post(actor)
    market.work(one)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    sweeper.sweep()
    with transaction.atomic(), connection.cursor() as cursor:
        # Entries cannot be changed, but for a session that says it only copies them.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE common_ledgerentry SET created_at = date_trunc('month', now()) - interval '3 days'")
    statements.issue_due(today=database_now().date())
    invoice = Statement.objects.get(kind="invoice")
    return job, invoice, invoice.due_on + datetime.timedelta(days=days_later)


def as_of(monkeypatch, day):
    """Let the due days of invoices be judged on a day."""
    real = selectors.overdue
    monkeypatch.setattr(selectors, "overdue", lambda: real(today=day))


def test_labels_are_bought_down_to_the_limit_and_no_further(actor):
    post(actor)
    assert wallet(actor) == -2_000_000
    with pytest.raises(InsufficientFundsError):
        post(actor)
    assert (wallet(actor), Job.objects.count()) == (-2_000_000, 1)
    job = post(actor, 1_000_000)
    assert wallet(actor) == -LIMIT
    with pytest.raises(InsufficientFundsError):
        budgets.raise_to(actor=actor, job_id=job.pk, budget_micro=1_000_001)
    assert selectors.of(actor).get().used_micro == LIMIT
    assert not ledger.discrepancies()


def test_many_jobs_at_once_stay_within_the_limit(actor):
    refused = []

    def buy():
        try:
            post(actor, 1_000_000)
        except InsufficientFundsError:
            refused.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=buy) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wallet(actor), len(refused)) == (-LIMIT, 3)


def test_the_invoice_asks_for_what_was_spent_and_not_for_what_is_only_held(actor):
    job, invoice, _ = invoiced(actor)
    assert (invoice.closing_micro, invoice.due_micro) == (-330_000, 330_000)
    issued = database_now().astimezone(datetime.UTC).date()
    assert invoice.due_on == issued + datetime.timedelta(days=30)
    assert [row.pk for row in selectors.open_invoices(actor)] == [invoice.pk]
    assert Statement.objects.get(kind="statement").due_on is None
    assert ledger.balance(holds.hold_of(job)) == 2_000_000 - 330_000


def test_an_overdue_invoice_stops_borrowing_until_it_is_paid_in(actor, monkeypatch):
    job, invoice, late = invoiced(actor)
    as_of(monkeypatch, late)
    with pytest.raises(InvoiceOverdueError, match=rf"{invoice.title} of 0\.33 USD was due on {invoice.due_on}"):
        post(actor, 1_000_000)
    with pytest.raises(InvoiceOverdueError):
        budgets.raise_to(actor=actor, job_id=job.pk, budget_micro=2_000_001)
    batch = job.batches.get()
    with pytest.raises(InvoiceOverdueError):
        bonuses.grant(actor=actor, batch_id=batch.pk, amount_micro=1, reason="Well done.")
    assert selectors.of(actor).get().overdue == f"{invoice.number:06d}"
    fill(job.organization, 329_999)
    with pytest.raises(InvoiceOverdueError):
        post(actor, 1_000_000)
    fill(job.organization, 1)
    assert not selectors.overdue()
    assert not selectors.open_invoices(actor)
    post(actor, 1_000_000)
    assert wallet(actor) == -2_000_000 + 330_000 - 1_000_000


def test_on_its_due_day_an_invoice_is_not_overdue(actor, monkeypatch):
    _, _, day = invoiced(actor, days_later=0)
    as_of(monkeypatch, day)
    post(actor, 1_000_000)


def test_own_money_is_spent_while_an_invoice_is_overdue(actor, monkeypatch):
    job, _, late = invoiced(actor)
    cancellations.cancel_job(actor=actor, job_id=job.pk)
    sweeper.sweep()
    assert wallet(actor) == -330_000
    as_of(monkeypatch, late)
    with transaction.atomic():
        # Given by the platform, which pays no invoice.
        gift = Posting(
            "gift", Account(Kind.SUSPENSE, "USD"), holds.wallet_of(actor.organization_id, "USD"), 830_000, "g"
        )
        ledger.post([gift])
    post(actor, 500_000)
    with pytest.raises(InvoiceOverdueError):
        post(actor, 400_000)


def test_revoked_or_lowered_nothing_more_is_lent_and_what_is_owed_stays_due(actor):
    job, invoice, late = invoiced(actor)
    terms = invoice_terms.revoke(actor=market.staff(), terms_id=InvoiceTerms.objects.get().pk)
    assert invoice_terms.revoke(actor=market.staff(), terms_id=terms.pk).revoked_at == terms.revoked_at
    with pytest.raises(InsufficientFundsError):
        post(actor, 400_000)
    assert list(selectors.overdue(today=late)) == [invoice]
    fill(job.organization, 2_500_000)
    post(actor, 500_000)
    with pytest.raises(InsufficientFundsError):
        post(actor, 400_000)
    grant(actor, limit_micro=400_000)
    post(actor, 400_000)
    grant(actor, limit_micro=300_000)
    with pytest.raises(InsufficientFundsError):
        post(actor, 400_000)


def test_credit_is_not_paid_out(actor):
    mine = holds.wallet_of(actor.organization_id, "USD")
    with transaction.atomic():
        ledger.post([Posting("out", mine, Account(Kind.SUSPENSE, "USD"), 1, "x")])
        with pytest.raises(InsufficientFundsError):
            credit.refuse_borrowing(mine)


def test_only_staff_grants_and_only_to_customers(actor):
    with pytest.raises(PermissionDeniedError):
        invoice_terms.grant(actor=actor, organization_id=actor.organization_id, currency="USD", limit_micro=1, days=1)
    vendor = Organization.objects.create(name="V", kind="vendor")
    with pytest.raises(ValidationFailedError):
        invoice_terms.grant(actor=market.staff(), organization_id=vendor.pk, currency="USD", limit_micro=1, days=1)
    assert not selectors.of(market.customer()).exists()
    assert selectors.of(market.staff()).count() == 1
