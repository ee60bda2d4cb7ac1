"""Every task type from order to pay: near misses are accepted and merged, plain errors are not paid."""

import pytest

from common.errors import ValidationFailedError
from marketplace.core import kinds as core_kinds
from marketplace.models import Annotation, Assignment, JobRecord, Lot, Settlement, Verdict
from marketplace.services import annotations, offers, vetting
from marketplace.services.annotations import Answer
from tests import kinds, market
from tests.kinds import EXAMPLES
from vendors.models import RatioPosterior

pytestmark = pytest.mark.django_db(transaction=True)
every_type = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


def vet(job) -> None:
    for lot in Lot.objects.filter(job=job, state="open"):
        vetting.vet_lot(lot_id=lot.pk)


def is_right(record: JobRecord, example: kinds.Example) -> bool:
    schema = record.job.label_schema
    kind, rules = core_kinds.get(schema.task_type), schema.rules_for(record.metadata)
    wanted, findings = core_kinds.canonical(example.truth(kinds.number_of(record.key)), rules)
    assert findings == []
    found = record.value if record.value is not None else record.label
    return kind.similarity(wanted, found, rules) >= 0.8


@every_type
def test_near_answers_of_two_vendors_become_the_label_and_are_paid(example):
    sellers = [kinds.seller(example.task_type, price) for price in (30_000, 40_000)]
    job = kinds.job(market.customer(), example)
    kinds.work(sellers[0], example.truth)
    kinds.work(sellers[1], example.near)
    vet(job)
    records = JobRecord.objects.filter(job=job).select_related("job__label_schema")
    assert [r.state for r in records] == ["labeled"] * 6
    assert all(is_right(record, example) for record in records)
    assert all(record.confidence > 0.85 for record in records)
    assert Lot.objects.get(job=job).state == "closed"
    assert dict(Settlement.objects.values_list("vendor_id", "n_paid")) == {one.vendor_id: 8 for one in sellers}
    beliefs = RatioPosterior.objects.filter(capability_id=sellers[0].capability_id, metric="accuracy")
    assert beliefs.get().successes > 3 * beliefs.get().failures


@every_type
def test_work_against_the_gold_is_refused_unpaid_and_others_do_it_again(example):
    sellers = [kinds.seller(example.task_type, price) for price in (30_000, 40_000, 50_000)]
    job = kinds.job(market.customer(), example, n_records=12, batch_size=12, n_gold=12, gold_ratio=0.5)
    bad = kinds.work(sellers[0], example.wrong)
    kinds.work(sellers[1], example.truth)
    for _ in range(6):
        vet(job)
        for one in sellers[1:]:
            if market.live_offer(one):
                kinds.work(one, example.near)
    bad.refresh_from_db()
    assert bad.state == "rejected", list(Verdict.objects.values_list("words", flat=True))
    assert Settlement.objects.get(assignment=bad).n_paid == 0
    records = JobRecord.objects.filter(job=job).select_related("job__label_schema")
    assert all(r.state == "labeled" and is_right(r, example) for r in records)


@every_type
def test_a_contested_record_goes_to_a_third_vendor_and_the_odd_answer_is_not_paid(example):
    sellers = [kinds.seller(example.task_type, price) for price in (30_000, 40_000, 50_000, 60_000)]
    job = kinds.job(market.customer(), example, n_gold=0, accuracy_floor=0.5)
    kinds.work(sellers[0], lambda i: example.wrong(i) if i == 2 else example.truth(i))
    kinds.work(sellers[1], example.near)
    for _ in range(4):
        vet(job)
        for one in sellers[2:]:
            if market.live_offer(one):
                kinds.work(one, lambda i: kinds.moved(example.near(i)))
    record = JobRecord.objects.select_related("job__label_schema").get(job=job, key="record-2")
    assert record.state == "labeled"
    assert is_right(record, example)
    assert Annotation.objects.filter(record=record, is_current=True).count() >= 3
    assert Lot.objects.get(job=job).state == "closed"


@every_type
def test_unsound_answers_are_refused_each_with_its_place_and_nothing_is_kept(example):
    one = kinds.seller(example.task_type)
    kinds.job(market.customer(), example, n_gold=0)
    assignment = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
    items = list(assignment.items.order_by("position"))
    for label, code in example.bad:
        answers = [Answer(items[0].pk, example.truth(0)), Answer(items[1].pk, label)]
        with pytest.raises(ValidationFailedError) as refused:
            annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=answers)
        assert {(e["code"], e["field"].split(".")[0]) for e in refused.value.errors} == {(code, "annotations[1]")}
        assert "label" in refused.value.errors[0]["field"]
    assert not Annotation.objects.exists()


@every_type
def test_equal_answers_sent_again_change_nothing_and_others_replace_them(example):
    one = kinds.seller(example.task_type)
    kinds.job(market.customer(), example, n_gold=0)
    assignment = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
    item = assignment.items.select_related("record").order_by("position").first()
    number = kinds.number_of(item.record.key)

    def send(label) -> int:
        return annotations.submit(actor=one.actor, assignment_id=assignment.pk, answers=[Answer(item.pk, label)]).n_new

    assert [send(example.truth(number)), send(example.truth(number)), send(example.wrong(number))] == [1, 0, 1]
    assert Annotation.objects.filter(is_current=True).count() == 1
    assert Annotation.objects.count() == 2
    assert Assignment.objects.get().state == "started"
