"""Small jobs fill as fast as one large one, and a small batch costs little machinery."""

import time

import pytest

from marketplace.core.states import AssignmentState
from marketplace.models import Assignment, Batch, Offer
from marketplace.services import annotations, offering, offers, vetting
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)

N_BATCHES, SIZE = 50, 20


def fill(sellers, jobs):
    """Let every vendor take and deliver what it is offered, tick by tick; return how many batches are taken by tick."""
    taken = []
    while Batch.objects.filter(job__in=jobs).exclude(state__in=["delivered", "done"]).exists():
        offering.advance()
        for one in sellers:
            for offer in Offer.objects.filter(vendor_id=one.vendor_id, state="live", job__in=jobs):
                assignment = offers.accept(actor=one.actor, offer_id=offer.pk)
                answers = market.answers_of(assignment)
                annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers)
        taken.append(Assignment.objects.filter(job__in=jobs, state=AssignmentState.SUBMITTED).count())
        assert len(taken) < 100, "the jobs do not fill"
    return taken


def test_fifty_jobs_of_twenty_records_fill_as_fast_as_one_of_a_thousand_at_little_cost():
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000, 50_000)]
    terms = {"n_gold": 0, "min_overlap": 1, "batch_size": SIZE}
    large = [market.job(market.customer(), n_records=N_BATCHES * SIZE, **terms)]
    at_once = fill(sellers, large)
    started = time.process_time()
    small = [market.job(market.customer(), n_records=SIZE, **terms) for _ in range(N_BATCHES)]
    one_by_one = fill(sellers, small)
    for job in small:
        vetting.vet_lot(lot_id=job.lots.get().pk)
    per_batch_s = (time.process_time() - started) / N_BATCHES
    assert one_by_one[-1] == at_once[-1] == N_BATCHES
    assert len(one_by_one) <= len(at_once)
    assert per_batch_s < 1.0
