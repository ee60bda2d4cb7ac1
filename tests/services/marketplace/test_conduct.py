"""How work is done tells too: copies count once and are named, constant and hasty work is named to its vendor."""

from dataclasses import replace

import pytest

from marketplace.models import Assignment, Lot, PreLabel, Settlement, Verdict
from marketplace.services import annotations, evidence, jobs, offers, prelabels, vetting
from marketplace.services.annotations import Answer, content_of
from marketplace.services.lots import RecordInput
from marketplace.services.prelabels import PreLabelInput
from tests import kinds, market
from tests.kinds import EXAMPLES

pytestmark = pytest.mark.django_db(transaction=True)


def vet(job) -> None:
    for lot in Lot.objects.filter(job=job, state="open"):
        vetting.vet_lot(lot_id=lot.pk)


def codes_of(one) -> set[str]:
    verdict = Verdict.objects.filter(assignment__vendor_id=one.vendor_id).order_by("pk").last()
    return {reason["code"] for reason in verdict.reasons} if verdict else set()


@pytest.mark.parametrize("task_type", ["bbox", "polygon", "cuboid"])
def test_answers_equal_to_the_pixel_are_refused_to_whom_gave_them_later(task_type):
    example = EXAMPLES[task_type]
    honest, copier, third = (kinds.seller(task_type, price) for price in (30_000, 40_000, 50_000))
    job = kinds.job(market.customer(), example, n_gold=0)
    kinds.work(honest, example.near)
    kinds.work(copier, example.near)
    vet(job)
    assert Assignment.objects.get(vendor_id=copier.vendor_id).state == "rejected"
    assert "copied_answers" in codes_of(copier)
    assert "to the last detail" in Verdict.objects.get(assignment__vendor_id=copier.vendor_id).words
    kinds.work(third, example.truth)
    vet(job)
    assert "copied_answers" not in codes_of(honest) | codes_of(third)
    assert Lot.objects.get(job=job).state == "closed"
    assert dict(Settlement.objects.values_list("vendor_id", "n_paid")) == {
        honest.vendor_id: 6,
        copier.vendor_id: 0,
        third.vendor_id: 6,
    }


def test_a_box_around_the_whole_record_is_no_copy():
    example = replace(EXAMPLES["bbox"], truth=lambda i: [{"class": "cat", "box": [0, 0, 400, 300]}])
    sellers = [kinds.seller("bbox", price) for price in (30_000, 40_000)]
    job = kinds.job(market.customer(), example, n_gold=0)
    for one in sellers:
        kinds.work(one, example.truth)
    vet(job)
    assert Lot.objects.get(job=job).state == "closed"
    assert not any("copied_answers" in codes_of(one) for one in sellers)


def test_equal_wrong_texts_are_copies_but_equal_right_ones_are_not():
    example = EXAMPLES["transcription"]
    sellers = [kinds.seller("transcription", price) for price in (30_000, 40_000, 50_000, 60_000)]
    job = kinds.job(
        market.customer(), example, n_records=10, batch_size=10, n_gold=6, min_overlap=4, accuracy_floor=0.4
    )
    for one in sellers[:2]:
        kinds.work(one, example.truth)
    for one in sellers[2:]:
        kinds.work(one, lambda i: example.wrong(i) if i % 2 else example.truth(i))
    vet(job)
    assert "copied_answers" in codes_of(sellers[3])
    assert not any("copied_answers" in codes_of(one) for one in sellers[:3])


def test_the_same_answer_on_every_record_is_named():
    example = EXAMPLES["transcription"]
    sellers = [kinds.seller("transcription", price) for price in (30_000, 40_000, 50_000)]
    job = kinds.job(market.customer(), example, n_records=12, batch_size=12, n_gold=0, min_overlap=3)
    kinds.work(sellers[0], lambda i: "nothing to be heard here at all")
    kinds.work(sellers[1], example.truth)
    kinds.work(sellers[2], example.near)
    vet(job)
    assert "constant_answers" in codes_of(sellers[0])
    assert Assignment.objects.get(vendor_id=sellers[0].vendor_id).state == "rejected"
    assert "constant_answers" not in codes_of(sellers[1]) | codes_of(sellers[2])


def work_in(one, seconds: float) -> None:
    offer = market.live_offer(one)
    assignment = offers.accept(actor=one.actor, offer_id=offer.pk)
    items = assignment.items.select_related("record", "gold")
    answers = [Answer(item.pk, market.truth(content_of(item).key), seconds=seconds) for item in items]
    annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers)


def test_work_below_the_time_that_accepted_work_took_is_named():
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000)]
    job = market.job(market.customer(), n_records=60, batch_size=60, n_gold=0)
    for one in sellers:
        work_in(one, seconds=5.0)
    vet(job)
    assert not any("too_fast" in codes_of(one) for one in sellers)
    records = [RecordInput(f"more-{i}") for i in range(6)]
    jobs.add_lot(actor=market.actor_of(job.organization), job_id=job.pk, records=records)
    work_in(sellers[0], seconds=0.4)
    work_in(sellers[1], seconds=6.0)
    vet(job)
    assert "too_fast" in codes_of(sellers[0])
    assert "too_fast" not in codes_of(sellers[1])


def test_two_who_take_up_a_suggestion_have_not_copied_each_other():
    example = kinds.EXAMPLES["bbox"]
    sellers = [kinds.seller("bbox", price) for price in (30_000, 40_000)]
    owner = market.customer()
    job = kinds.job(owner, example, n_records=12, batch_size=12, n_gold=0)
    rows = [PreLabelInput(f"record-{i}", example.truth(i), 0.9) for i in range(12)]
    prelabels.put(actor=owner, job_id=job.pk, model="v1", rows=rows)
    PreLabel.objects.update(role="shown")
    for one in sellers:
        kinds.work(one, example.truth)
    facts = evidence.of_job(job)
    assert not facts.seen.copied
    PreLabel.objects.all().delete()
    assert len(evidence.of_job(job).seen.copied) == 1
