"""Pay taken back: the customer has it at once, the vendor owes it, to the micro-unit, once, and it can be undone."""

import datetime
import threading

import pytest
from django.db import connection, transaction
from django.db.models import F

from common import ledger
from common.clock import database_now
from common.errors import PermissionDeniedError, ValidationFailedError
from common.ledger import Account, InsufficientFundsError, Kind, Posting
from common.models import PayoutAccount
from marketplace.errors import NothingToTakeBackError
from marketplace.models import Clawback, Notice, Settlement, Statement
from marketplace.selectors import clawbacks as selectors
from marketplace.services import clawbacks, holds, payouts, statements, sweeper
from tests import market
from tests.services.marketplace.test_statements import BUDGET, a_paid_job, billed, next_month  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db(transaction=True)
PRICE = 50_000


@pytest.fixture
def paid():
    one, actor, job = a_paid_job()
    return one, actor, job, Settlement.objects.get().assignment_id


def take(assignment_id, n=6, reason="Copied from another vendor."):
    return clawbacks.take_back(actor=market.staff(), assignment_id=assignment_id, n_labels=n, reason=reason)


def books(one, job):
    """Return wallet, what the vendor is owed, what it owes, and the platform's fees."""
    owes = Account(Kind.CLAWBACK, "USD", one.vendor_id, one.actor.organization_id)
    payable = holds.payable_to(one.vendor_id, one.actor.organization_id, "USD")
    wallet, fee = holds.wallet_of(job.organization_id, "USD"), Account(Kind.PLATFORM_FEE, "USD")
    assert not ledger.discrepancies()
    return tuple(ledger.balance(account) for account in (wallet, payable, owes, fee))


def test_what_is_not_sent_yet_goes_against_it_at_once(paid):
    one, actor, job, work = paid
    assert books(one, job) == (0, 6 * PRICE, 0, 30_000)
    take(work, 2)
    assert books(one, job) == (2 * PRICE + 10_000, 4 * PRICE, 0, 20_000)
    take(work, 4)
    assert books(one, job) == (6 * PRICE + 30_000, 0, 0, 0)
    with pytest.raises(ValidationFailedError, match="0 of 6 paid labels can be taken back"):
        take(work, 1)
    assert [selectors.of(a).count() for a in (actor, one.actor, market.staff(), market.customer())] == [2, 2, 2, 0]


def test_what_was_sent_is_taken_from_what_is_earned_next_before_it_is_paid_out(paid):
    one, _, job, work = paid
    PayoutAccount.objects.create(organization_id=one.actor.organization_id, provider_id="acct_1", is_ready=True)
    payable = holds.payable_to(one.vendor_id, one.actor.organization_id, "USD")
    send(payable, 6 * PRICE)
    take(work, 6)
    assert books(one, job) == (6 * PRICE + 30_000, 0, -6 * PRICE, 0)
    earn(payable, 2 * PRICE)
    assert payouts.pay_out_due() == 0
    assert books(one, job)[1:3] == (0, -4 * PRICE)
    earn(payable, 30 * PRICE, "more")
    assert payouts.pay_out_due() == 1
    assert books(one, job)[1:3] == (0, 0)
    assert clawbacks.recover_due() == 0


def send(payable, amount):
    with transaction.atomic():
        ledger.post([Posting("sent", payable, Account(Kind.PROVIDER, "USD"), amount, "Payout")])


def earn(payable, amount, key="earned"):
    with transaction.atomic():
        ledger.post([Posting(key, Account(Kind.PROVIDER, "USD"), payable, amount, "Labels")])


def test_reversed_the_vendor_has_it_again_once_at_the_platform_s_cost(paid):
    one, _, job, work = paid
    row = take(work, 2)
    with pytest.raises(InsufficientFundsError):
        clawbacks.reverse(actor=market.staff(), clawback_id=row.pk, reason="It was a mistake.")
    assert Clawback.objects.get().reversed_at is None
    earn(Account(Kind.PLATFORM_FEE, "USD"), 100_000)
    for _ in range(2):
        clawbacks.reverse(actor=market.staff(), clawback_id=row.pk, reason="It was a mistake.")
    assert books(one, job) == (2 * PRICE + 10_000, 6 * PRICE, 0, 20_000)
    with pytest.raises(ValidationFailedError):
        take(work, 5)


def test_both_sides_read_it_on_paper_and_the_vendor_is_told(paid):
    take(paid[3], 2)
    sweeper.sweep()
    words = Notice.objects.get(kind="pay.taken_back")
    assert words.facts["why"] == "Copied from another vendor."
    statements.issue_due(today=next_month())
    lines = {row.kind: {line["memo"]: line["amount_micro"] for line in row.lines} for row in statement_rows()}
    assert lines["invoice"]["Labels taken back"] == 2 * PRICE
    assert lines["invoice"]["Fee of labels taken back"] == 10_000
    assert lines["statement"] == {"Labels": 6 * PRICE, "Labels taken back": -2 * PRICE}
    assert {row.kind: row.turnover_micro for row in statement_rows()} == {"invoice": -220_000, "statement": 4 * PRICE}


def statement_rows():
    return Statement.objects.all()


def test_asked_by_many_at_once_no_label_is_taken_twice(paid):
    one, _, job, work = paid
    refused = []

    def ask():
        try:
            take(work, 2)
        except ValidationFailedError:
            refused.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    assert books(one, job) == (6 * PRICE + 30_000, 0, 0, 0)


def test_what_was_not_paid_or_long_ago_stays_and_only_staff_takes(paid):
    one, actor, job, work = paid
    with pytest.raises(PermissionDeniedError):
        clawbacks.take_back(actor=actor, assignment_id=work, n_labels=1, reason="Mine.")
    Settlement.objects.update(created_at=F("created_at") - datetime.timedelta(days=91))
    with pytest.raises(NothingToTakeBackError, match="90 days"):
        take(work, 1)
    Settlement.objects.update(created_at=database_now(), post_due_at=database_now())
    with pytest.raises(NothingToTakeBackError):
        take(work, 1)
    Settlement.objects.update(post_due_at=None)
    type(job).objects.update(is_billed=False, held_micro=0)
    with pytest.raises(NothingToTakeBackError):
        take(work, 1)
    assert books(one, job) == (0, 6 * PRICE, 0, 30_000)
