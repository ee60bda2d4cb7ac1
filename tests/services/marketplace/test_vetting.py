"""Vetting: consensus, extra overlap, verdicts, settlement, lot closing."""

import pytest

from marketplace.models import Assignment, Batch, JobRecord, Lot, RoutingEvent, Settlement, Verdict
from marketplace.services import annotations, assignments, offers, vetting
from marketplace.services.annotations import Answer
from tests import market
from vendors.models import RatioPosterior, Vendor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (30_000, 40_000, 50_000, 60_000)]


def vet(job) -> None:
    for lot in Lot.objects.filter(job=job, state="open"):
        vetting.vet_lot(lot_id=lot.pk)


def labels_of(job) -> dict[str, tuple[str, int | None]]:
    return {r.key: (r.state, r.label) for r in JobRecord.objects.filter(job=job)}


def test_two_agreeing_vendors_close_the_lot_and_are_paid(sellers):
    job = market.job(market.customer(), n_gold=0)
    for one in sellers[:2]:
        market.work(one)
    vet(job)
    assert labels_of(job) == {f"record-{i}": ("labeled", i % 3) for i in range(6)}
    assert Lot.objects.get(job=job).state == "closed"
    assert set(Assignment.objects.values_list("state", flat=True)) == {"accepted"}
    assert set(Batch.objects.values_list("state", flat=True)) == {"done"}
    paid = {s.vendor_id: (s.n_paid, s.vendor_micro, s.fee_micro) for s in Settlement.objects.all()}
    assert paid == {sellers[0].vendor_id: (6, 180_000, 18_000), sellers[1].vendor_id: (6, 240_000, 24_000)}
    job.refresh_from_db()
    assert job.spent_micro == job.committed_micro == 6 * (33_000 + 44_000)
    assert Vendor.objects.get(pk=sellers[0].vendor_id).n_batches_done == 1


def test_a_contested_record_gets_a_third_opinion_from_a_new_vendor(sellers):
    job = market.job(market.customer(), n_gold=0)
    market.work(sellers[0], wrong=1)
    market.work(sellers[1])
    vet(job)
    extra = Batch.objects.get(job=job, layer=2)
    assert extra.n_items == 1
    assert Lot.objects.get(job=job).state == "open"
    market_round(job, sellers[2:])
    assert labels_of(job) == {f"record-{i}": ("labeled", i % 3) for i in range(6)}


def test_cannot_label_is_an_answer_with_its_reason(sellers):
    job = market.job(market.customer(), n_records=3, batch_size=3, n_gold=0)
    for one in sellers[:2]:
        assignment = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
        answers = [
            Answer(a.item_id, None, "out_of_scope") if item.record.key == "record-0" else a
            for a, item in zip(market.answers_of(assignment), assignment.items.order_by("position"), strict=True)
        ]
        annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers)
    vet(job)
    record = JobRecord.objects.get(job=job, key="record-0")
    assert (record.state, record.label, record.reason) == ("unlabelable", None, "out_of_scope")


def test_work_against_the_gold_is_rejected_unpaid_and_done_again_by_others(sellers):
    job = market.job(market.customer(), n_records=20, batch_size=20, n_gold=20, gold_ratio=0.4)
    market.work(sellers[0], wrong=28)
    market.work(sellers[1])
    market_round(job, sellers[2:])
    rejected = Assignment.objects.get(vendor_id=sellers[0].vendor_id)
    assert rejected.state == "rejected"
    assert Settlement.objects.get(assignment=rejected).n_paid == 0
    verdict = Verdict.objects.get(assignment=rejected)
    assert verdict.error_low > 0.3
    assert verdict.words
    assert {label for _, label in labels_of(job).values()} == {0, 1, 2}
    assert all(label == int(key[7:]) % 3 for key, (_, label) in labels_of(job).items())
    belief = RatioPosterior.objects.get(capability_id=sellers[0].capability_id, metric="accuracy")
    assert belief.failures > 10


def market_round(job, sellers) -> None:
    """Vet, and let the given vendors take whatever is offered, until the lot is closed."""
    for _ in range(12):
        vet(job)
        for one in sellers:
            if market.live_offer(one):
                market.work(one)
        if Lot.objects.get(job=job).state == "closed":
            return
    raise AssertionError(list(Batch.objects.values_list("layer", "state", "reason")))


def test_vetting_twice_changes_nothing(sellers):
    job = market.job(market.customer(), n_gold=0)
    for one in sellers[:2]:
        market.work(one)
    vet(job)
    before = (Settlement.objects.count(), RoutingEvent.objects.count(), list(RatioPosterior.objects.values()))
    lot = Lot.objects.get(job=job)
    vetting.vet_lot(lot_id=lot.pk)
    assert (Settlement.objects.count(), RoutingEvent.objects.count(), list(RatioPosterior.objects.values())) == before


def test_vetting_costs_the_same_number_of_queries_for_many_records(sellers, django_assert_max_num_queries):
    job = market.job(market.customer(), n_records=60, batch_size=60, n_gold=0)
    for one in sellers[:2]:
        market.work(one)
    with django_assert_max_num_queries(75):
        vet(job)
    assert Lot.objects.get(job=job).state == "closed"


def test_partial_work_against_the_gold_is_rejected_and_its_records_are_done_again(sellers):
    job = market.job(market.customer(), n_records=20, batch_size=20, n_gold=20, gold_ratio=0.5)
    offer = market.live_offer(sellers[0])
    assignment = offers.accept(actor=sellers[0].actor, offer_id=offer.pk)
    wrong = market.answers_of(assignment, wrong=24, limit=24)
    annotations.submit(actor=sellers[0].actor, assignment_id=assignment.pk, answers=wrong)
    assignments.release(actor=sellers[0].actor, assignment_id=assignment.pk, reason="other")
    market.work(sellers[1])
    market_round(job, sellers[1:])
    assignment.refresh_from_db()
    assert assignment.state == "rejected", Verdict.objects.filter(assignment=assignment).values_list("words")
    assert Settlement.objects.get(assignment=assignment).n_paid == 0
    assert all(label == int(key[7:]) % 3 for key, (_, label) in labels_of(job).items())
    assert set(Batch.objects.filter(job=job).values_list("state", flat=True)) == {"done"}


def test_rework_goes_to_its_author_once_and_counts_when_mended(sellers):
    job = market.job(
        market.customer(), n_records=20, batch_size=20, n_gold=10, gold_ratio=0.2, min_overlap=3, accuracy_floor=0.9
    )
    for one, wrong in zip(sellers, (5, 0, 0), strict=False):
        market.work(one, wrong=wrong)
    vet(job)
    sent_back = Assignment.objects.filter(vendor_id=sellers[0].vendor_id).first()
    assert sent_back.state == "rework"
    mended = market.answers_of(sent_back)
    annotations.submit(actor=sellers[0].actor, assignment_id=sent_back.pk, answers=mended)
    market_round(job, sellers[3:])
    sent_back.refresh_from_db()
    assert (sent_back.state, sent_back.n_reworks) == ("accepted", 1)
    assert all(label == int(key[7:]) % 3 for key, (_, label) in labels_of(job).items())
