"""The customer's review: open for a while, ended exactly once, and money moves only then."""

import datetime
import threading

import pytest
from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from common import ledger, outbox
from common.errors import ConflictError, NotFoundError, ValidationFailedError
from common.ledger import Account, Kind, Posting
from marketplace.errors import BatchStateError
from marketplace.models import Annotation, Batch, Job, JobRecord, Notice, RoutingEvent, Settlement
from marketplace.services import cancellations, holds, reviews, sweeper, vetting
from marketplace.services.reviews import Refusal
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
BUDGET = 2_000_000
A_LABEL = 44_000


@pytest.fixture
def vetted(settings):
    """A billed job of six labels, vetted, its review open."""
    settings.BILLING_ENABLED = True
    market.gold_set()
    one, actor = market.seller(40_000), market.customer()
    wallet = holds.wallet_of(actor.organization_id, "USD")
    with transaction.atomic():
        ledger.post([Posting(f"fill/{wallet.owner}", Account(Kind.PROVIDER, "USD"), wallet, BUDGET, "top-up")])
    terms = {"n_gold": 0, "min_overlap": 1, "max_overlap": 1, "budget_micro": BUDGET, "review_window_s": 72 * 3600}
    job = market.job(actor, **terms)
    market.work(one)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    return actor, one, Batch.objects.get(job=job)


def earned(one: market.Seller) -> int:
    return ledger.balance(holds.payable_to(one.vendor_id, one.actor.organization_id, "USD"))


def let_pass() -> None:
    Batch.objects.update(review_due_at=timezone.now())


def test_labels_are_there_at_once_and_money_waits_for_the_review(vetted):
    _, one, batch = vetted
    assert (batch.state, batch.review) == ("done", "open")
    assert (batch.review_due_at - batch.review_from_at).total_seconds() == 72 * 3600
    assert JobRecord.objects.filter(state="labeled").count() == 6
    sweeper.sweep()
    assert earned(one) == 0
    let_pass()
    sweeper.sweep()
    batch.refresh_from_db()
    assert batch.review == "auto"
    assert earned(one) == 6 * 40_000
    assert not ledger.discrepancies()


def test_the_customer_may_accept_early_and_again(vetted):
    actor, one, batch = vetted
    for _ in range(2):
        assert reviews.accept(actor=actor, batch_id=batch.pk).review == "accepted"
    sweeper.sweep()
    assert earned(one) == 6 * 40_000
    told = RoutingEvent.objects.get(kind="batch.reviewed")
    assert told.facts["outcome"] == "accepted"
    assert 0 <= told.facts["waited_s"] < 60


def test_refused_labels_are_not_paid_and_the_vendor_reads_why(vetted):
    actor, one, batch = vetted
    refusals = [Refusal("record-1", "It is a fox."), Refusal("record-4", "Blurred.")]
    assert reviews.refuse(actor=actor, batch_id=batch.pk, refusals=refusals).review == "refused"
    sweeper.sweep()
    assert earned(one) == 4 * 40_000
    job = Job.objects.get()
    assert job.spent_micro == job.committed_micro == 4 * A_LABEL
    assert Settlement.objects.get().n_paid == 4
    assert Annotation.objects.filter(state="rejected").count() == 2
    ended = JobRecord.objects.filter(state="unresolved").order_by("key").values_list("key", "reason", "label")
    assert list(ended) == [("record-1", "refused_in_review", None), ("record-4", "refused_in_review", None)]
    while outbox.relay():
        pass
    notice = Notice.objects.get(kind="review.refused")
    assert (notice.vendor_id, notice.facts["n"]) == (one.vendor_id, 2)
    assert "record-1: It is a fox." in notice.facts["why"]
    cancellations.cancel_job(actor=actor, job_id=job.pk)
    sweeper.sweep()
    assert ledger.balance(holds.wallet_of(actor.organization_id, "USD")) == BUDGET - 4 * A_LABEL
    assert not ledger.discrepancies()


@pytest.mark.parametrize(
    ("refusals", "field", "code"),
    [
        ([], "records", "required"),
        ([Refusal("record-99", "No.")], "records[0].key", "unknown_record"),
        ([Refusal("record-1", "a"), Refusal("record-1", "b")], "records[0].key", "duplicate_key"),
        ([Refusal("record-1", " ")], "records[0].reason", "required"),
    ],
)
def test_a_refusal_that_makes_no_sense_changes_nothing(vetted, refusals, field, code):
    actor, _, batch = vetted
    with pytest.raises(ValidationFailedError) as refused:
        reviews.refuse(actor=actor, batch_id=batch.pk, refusals=refusals)
    assert (refused.value.errors[0]["field"], refused.value.errors[0]["code"]) == (field, code)
    batch.refresh_from_db()
    assert batch.review == "open"
    assert Settlement.objects.get().n_paid == 6


def test_nothing_is_refused_after_the_end_though_no_sweeper_ran(vetted):
    actor, _, batch = vetted
    let_pass()
    one = [Refusal("record-1", "No.")]
    with pytest.raises(BatchStateError, match="over"):
        reviews.refuse(actor=actor, batch_id=batch.pk, refusals=one)
    assert reviews.accept_due() == 1
    with pytest.raises(BatchStateError, match="was reviewed: auto"):
        reviews.refuse(actor=actor, batch_id=batch.pk, refusals=one)
    with pytest.raises(NotFoundError):
        reviews.accept(actor=market.customer(), batch_id=batch.pk)


def test_a_batch_not_vetted_has_nothing_to_review():
    market.gold_set()
    actor = market.customer()
    market.job(actor, min_overlap=1)
    with pytest.raises(BatchStateError, match="nothing to review"):
        reviews.accept(actor=actor, batch_id=Batch.objects.get().pk)


@pytest.mark.parametrize("number", range(5))
def test_a_review_ends_exactly_once_whoever_races(vetted, number):
    actor, one, batch = vetted
    Batch.objects.update(review_due_at=timezone.now() + datetime.timedelta(seconds=0.05))
    barrier, said, errors = threading.Barrier(4), [], []
    refuse = [Refusal("record-1", "No.")]
    acts = [
        sweeper.sweep,
        reviews.accept_due,
        lambda: reviews.accept(actor=actor, batch_id=batch.pk),
        lambda: reviews.refuse(actor=actor, batch_id=batch.pk, refusals=refuse),
    ]

    def run(act) -> None:
        try:
            barrier.wait(10)
            act()
        except ConflictError as error:
            said.append(error.code)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    close_old_connections()
    assert errors == []
    sweeper.sweep()
    batch.refresh_from_db()
    assert RoutingEvent.objects.filter(kind="batch.reviewed").count() == 1
    n_paid = 5 if batch.review == "refused" else 6
    assert earned(one) == n_paid * 40_000
    assert not ledger.discrepancies()
