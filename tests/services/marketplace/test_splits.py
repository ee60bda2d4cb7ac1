"""A vendor takes a part of a batch; the rest goes to the next candidate and nothing is lost or paid twice."""

import pytest

from common.errors import ValidationFailedError
from marketplace.models import Assignment, Batch, BatchItem, Job, JobRecord, Offer, RoutingEvent, Settlement
from marketplace.services import annotations, jobs, offers, vetting
from marketplace.services.lots import RecordInput
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer():
    market.gold_set()
    return market.customer()


def part_of(one, n_records):
    offer = market.live_offer(one)
    return offers.accept(actor=one.actor, offer_id=offer.pk, n_records=n_records)


def test_the_rest_goes_to_the_next_candidate_in_the_frozen_order(customer):
    first, second = market.seller(40_000), market.seller(50_000)
    job = market.job(customer, n_gold=0, min_overlap=1, max_overlap=1)
    taken = part_of(first, 4)
    assert (taken.n_items, taken.items.count()) == (4, 4)
    rest = market.live_offer(second)
    assert (rest.n_items, rest.batch.part, rest.batch.ranking_id) == (2, 1, taken.batch.ranking_id)
    assert market.live_offer(first) is None
    assert sum(Batch.objects.filter(job=job).values_list("n_items", flat=True)) == 6
    told = RoutingEvent.objects.get(kind="batch.split")
    assert (told.facts["n_taken"], told.facts["n_left"]) == (4, 2)


def test_both_parts_are_labeled_and_paid_once(customer):
    first, second = market.seller(40_000), market.seller(50_000)
    job = market.job(customer, n_gold=0, min_overlap=1, max_overlap=1)
    taken = part_of(first, 4)
    annotations.submit(actor=first.actor, assignment_id=taken.pk, answers=market.answers_of(taken))
    market.work(second)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    assert set(JobRecord.objects.filter(job=job).values_list("state", flat=True)) == {"labeled"}
    assert sorted(Settlement.objects.values_list("n_paid", flat=True)) == [2, 4]
    job.refresh_from_db()
    assert job.committed_micro == job.spent_micro == (4 * 40_000 + 2 * 50_000) * 11 // 10


def test_overlap_counts_layers_not_parts(customer):
    first, second, third = (market.seller(price) for price in (40_000, 50_000, 60_000))
    job = market.job(customer, n_gold=0, min_overlap=1, max_overlap=2)
    taken = part_of(first, 4)
    annotations.submit(actor=first.actor, assignment_id=taken.pk, answers=market.answers_of(taken))
    market.work(second)
    vetting.vet_lot(lot_id=job.lots.get().pk)
    extra = Batch.objects.get(job=job, layer=1)
    assert (extra.n_items, extra.hard_ratio) == (6, 1.0)
    assert market.live_offer(third).batch_id == extra.pk


def test_accepting_a_part_again_returns_the_same_work(customer):
    first = market.seller(40_000)
    market.job(customer, min_overlap=1)
    taken = part_of(first, 4)
    again = offers.accept(actor=first.actor, offer_id=taken.offer_id, n_records=4)
    assert again.pk == taken.pk
    assert Batch.objects.count() == 2


@pytest.mark.parametrize(
    ("terms", "splittable", "n_records", "code", "words"),
    [
        ({"min_batch": 3}, True, 2, "out_of_range", "Take 3 to"),
        ({"min_batch": 3}, True, 5, "out_of_range", "Take 3 to"),
        ({"min_batch": 5}, True, 2, "out_of_range", "cannot be split"),
        ({}, True, 60, "out_of_range", "Take 1 to"),
        ({}, False, 2, "not_splittable", "one vendor"),
    ],
)
def test_a_part_nobody_should_get_is_refused_and_the_offer_stays(customer, terms, splittable, n_records, code, words):
    one = market.seller(40_000, **terms)
    market.job(customer, n_gold=0, min_overlap=1, is_splittable=splittable)
    with pytest.raises(ValidationFailedError, match=words) as refused:
        part_of(one, n_records)
    assert [(e["field"], e["code"]) for e in refused.value.errors] == [("n_records", code)]
    assert Offer.objects.get().state == "live"
    assert not Assignment.objects.exists()


def test_hard_records_go_out_in_batches_of_their_own(customer):
    market.seller(40_000)
    job = market.job(customer, n_records=0, n_gold=0, min_overlap=1)
    records = [RecordInput(f"record-{i}", difficulty=0.9 if i % 2 else 0.1) for i in range(12)]
    jobs.add_lot(actor=customer, job_id=job.pk, records=records)
    assert list(Batch.objects.order_by("chunk").values_list("n_items", "hard_ratio")) == [(6, 1.0), (6, 0.0)]
    hard = BatchItem.objects.filter(batch__chunk=0).values_list("record__difficulty", flat=True)
    assert set(hard) == {0.9}


def test_a_difficulty_out_of_range_is_refused_with_its_place(customer):
    job = market.job(customer, n_records=0)
    with pytest.raises(ValidationFailedError) as refused:
        jobs.add_lot(actor=customer, job_id=job.pk, records=[RecordInput("a"), RecordInput("b", difficulty=1.5)])
    assert refused.value.errors[0]["field"] == "records[1].difficulty"
    assert not JobRecord.objects.filter(job=job).exists()
    assert Job.objects.get(pk=job.pk).lots.count() == 0
