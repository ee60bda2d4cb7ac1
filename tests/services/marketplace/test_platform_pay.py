"""What the platform owes vendors itself: a test's fee and an adjudicator's, each once, when it has the money."""

import datetime
import threading

import pytest
from django.db import connection, transaction
from django.db.models import F

from common import ledger
from common.ledger import Account, Kind, Posting
from marketplace.models import Adjudication
from marketplace.services import adjudicators, disputes, holds, platform_pay, sweeper
from tests import market
from tests.services.marketplace.test_disputes import misled, sellers  # noqa: F401 (fixtures)
from vendors.models import GoldSet, QualificationAttempt
from vendors.services import onboarding, qualification

pytestmark = pytest.mark.django_db(transaction=True)
FEE = 2_500_000


def earn(amount=10 * FEE, currency="USD"):
    """Let the platform have earned something."""
    with transaction.atomic():
        fee = Account(Kind.PLATFORM_FEE, currency)
        ledger.post([Posting(f"earned/{currency}/{amount}", Account(Kind.PROVIDER, currency), fee, amount, "Fees")])


def owed(one, currency="USD"):
    return ledger.balance(holds.payable_to(one.vendor_id, one.actor.organization_id, currency))


def reviewed():
    """Return a vendor that may be tested."""
    one = market.applicant()
    onboarding.submit(actor=one.actor)
    onboarding.review(actor=market.staff(), vendor_id=one.vendor_id, decision="approve", reason="ok")
    return one


def later():
    QualificationAttempt.objects.filter(fee_due_at__isnull=False).update(
        fee_due_at=F("fee_due_at") - datetime.timedelta(hours=2)
    )


@pytest.fixture
def paid_test():
    market.gold_set()
    GoldSet.objects.update(fee_micro=FEE)


@pytest.mark.parametrize("n_wrong", [0, 30])
def test_a_test_is_paid_once_passed_or_not(paid_test, n_wrong):
    earn()
    one = reviewed()
    assert market.qualify(one, n_wrong) == (n_wrong == 0)
    assert platform_pay.post_due() == 1
    assert platform_pay.post_due() == 0
    sweeper.sweep()
    assert owed(one) == FEE
    assert ledger.balance(Account(Kind.PLATFORM_FEE, "USD")) == 9 * FEE
    assert not ledger.discrepancies()


def test_a_test_left_mostly_empty_earns_nothing(paid_test):
    earn()
    one = reviewed()
    attempt = qualification.start(actor=one.actor, capability_id=one.capability_id)
    items = list(attempt.items.select_related("gold_item"))
    some = {item.pk: item.gold_item.label for item in items[: len(items) // 2 - 1]}
    qualification.answer(actor=one.actor, attempt_id=attempt.pk, answers=some)
    assert (platform_pay.post_due(), owed(one)) == (0, 0)
    again = qualification.start(actor=one.actor, capability_id=one.capability_id)
    items = list(again.items.select_related("gold_item"))
    half = {item.pk: item.gold_item.label for item in items[: len(items) // 2]}
    qualification.answer(actor=one.actor, attempt_id=again.pk, answers=half)
    assert (platform_pay.post_due(), owed(one)) == (1, FEE)


def test_a_fee_the_platform_cannot_pay_waits_and_holds_up_no_other(paid_test):
    poor, rich = reviewed(), reviewed()
    market.qualify(poor)
    GoldSet.objects.update(fee_currency="EUR")
    market.qualify(rich)
    earn(FEE, "EUR")
    assert platform_pay.post_due(limit=1) == 0
    assert platform_pay.post_due(limit=1) == 1
    assert (owed(poor), owed(rich, "EUR")) == (0, FEE)
    earn()
    assert platform_pay.post_due() == 0
    later()
    assert platform_pay.post_due() == 1
    assert owed(poor) == FEE


def test_many_runners_pay_once(paid_test):
    earn()
    one = reviewed()
    market.qualify(one)

    def pay():
        try:
            platform_pay.post_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=pay) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert owed(one) == FEE


@pytest.fixture
def handed(misled):  # noqa: F811
    job, work, one = misled
    type(job).objects.update(is_billed=True, held_micro=F("budget_micro"))
    disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="That is a dog.", key="record-4")
    judge = market.seller(90_000)
    row = adjudicators.hand_out(actor=market.staff(), adjudication_id=Adjudication.objects.get().pk)
    assert row.vendor_id == judge.vendor_id
    return row, judge


def decide(actor, row):
    return disputes.adjudicate(actor=actor, adjudication_id=row.pk, label="dog", note="It barks.")


def test_the_vendor_that_decides_earns_its_own_price_once(handed):
    row, judge = handed
    earn()
    assert (row.fee_micro, row.fee_currency) == (90_000, "USD")
    assert (platform_pay.post_due(), owed(judge)) == (0, 0)
    decide(judge.actor, row)
    decide(judge.actor, row)
    assert platform_pay.post_due() == 1
    sweeper.sweep()
    assert owed(judge) == 90_000


def test_decided_by_staff_nobody_is_paid_and_handed_on_only_who_decides(handed):
    row, judge = handed
    earn()
    other = market.seller(95_000)
    adjudicators.hand_out(actor=market.staff(), adjudication_id=row.pk, vendor_id=other.vendor_id)
    decide(market.staff(), row)
    assert (platform_pay.post_due(), owed(judge), owed(other)) == (0, 0, 0)


def test_without_a_price_in_the_job_s_currency_it_earns_what_the_answer_was_priced_at(handed, sellers):  # noqa: F811
    row, _ = handed
    type(row.annotation.job).objects.update(currency="EUR")
    other = market.seller(95_000)
    got = adjudicators.hand_out(actor=market.staff(), adjudication_id=row.pk, vendor_id=other.vendor_id)
    assert (got.fee_micro, got.fee_currency) == (50_000, "EUR")
