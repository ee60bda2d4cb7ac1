"""Ends that cross: a job or batch is cancelled while work on it is vetted; nothing comes back from the dead."""

import pytest

from benchmarks.races import invariants
from marketplace.models import Batch, Lot, Offer, Verdict
from marketplace.services import annotations, assignments, cancellations, offers, sweeper, verdicts
from tests import market
from tests.faults import worlds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fast_market")]


def given(sellers, limit=None, wrong=0):
    """Let the asked vendor accept and answer so many items, so many of them wrong."""
    sweeper.sweep()
    offer = Offer.objects.filter(state="live").order_by("pk").first()
    one = next(one for one in sellers if one.vendor_id == offer.vendor_id)
    work = offers.accept(actor=one.actor, offer_id=offer.pk)
    answers = market.answers_of(work, wrong, limit)
    annotations.submit(actor=one.actor, assignment_id=work.pk, answers=answers)
    return one, work


def ends(customer, sellers):
    assert [str(one) for one in invariants.violations()] == []
    worlds.finish(sellers, [customer])
    assert [str(one) for one in invariants.violations()] == []
    assert not Lot.objects.filter(state="open").exists()


def test_bad_work_of_a_cancelled_job_is_refused_and_not_offered_again(monkeypatch):
    sellers, customer = worlds.sellers(2), worlds.rich_customer()
    job = market.job(customer, n_records=6, min_overlap=1, max_overlap=1, gold_ratio=0.5)
    given(sellers, wrong=99)
    monkeypatch.setattr(verdicts, "_feasible", lambda *_: "rejected")
    cancellations.cancel_job(actor=customer, job_id=job.pk)
    worlds.vet_due()
    assert Verdict.objects.get().outcome == "rejected"
    sweeper.sweep()
    assert [batch.state for batch in Batch.objects.all()] == ["cancelled"]
    ends(customer, sellers)


def test_bad_parts_of_a_cancelled_batch_are_refused_and_the_batch_stays_cancelled(monkeypatch):
    sellers, customer = worlds.sellers(2), worlds.rich_customer()
    market.job(customer, n_records=6, min_overlap=1, max_overlap=1, gold_ratio=0.5)
    one, work = given(sellers, limit=8, wrong=99)
    assignments.release(actor=one.actor, assignment_id=work.pk, reason="other")
    monkeypatch.setattr(verdicts, "_feasible", lambda *_: "rejected")
    batch = cancellations.cancel_batch(actor=customer, batch_id=work.batch_id)
    worlds.vet_due()
    assert Verdict.objects.get().outcome == "rejected"
    sweeper.sweep()
    batch.refresh_from_db()
    assert batch.state == "cancelled"
    ends(customer, sellers)


def test_a_cancelled_job_asks_for_no_further_opinion():
    sellers, customer = worlds.sellers(4), worlds.rich_customer()
    job = market.job(customer, n_records=6, min_overlap=2, max_overlap=4, target_confidence=0.999, n_gold=0)
    given(sellers)
    given(sellers, wrong=3)
    cancellations.cancel_job(actor=customer, job_id=job.pk)
    worlds.vet_due()
    assert not Batch.objects.filter(state__in=["draft", "offering", "waiting"]).exists()
    ends(customer, sellers)


def test_an_offer_made_while_its_job_is_cancelled_is_taken_back(monkeypatch):
    """A sweeper makes an offer between the withdrawal of the live ones and the end of the batches."""
    sellers, customer = worlds.sellers(2), worlds.rich_customer()
    job = market.job(customer, n_records=6, min_overlap=1, max_overlap=1)
    withdraw = cancellations.withdrawals.of_job

    def then_sweep(job_id, reason, **how):
        n_gone = withdraw(job_id, reason, **how)
        if not how:
            worlds.in_another_connection(sweeper.offering.advance)
        return n_gone

    monkeypatch.setattr(cancellations.withdrawals, "of_job", then_sweep)
    cancellations.cancel_job(actor=customer, job_id=job.pk)
    assert not Offer.objects.filter(state="live").exists()
    ends(customer, sellers)
