"""Labeling functions in the market: they sharpen what is believed, and touch neither overlap, nor verdicts, nor pay."""

import pytest

from common.errors import NotFoundError, ValidationFailedError
from marketplace.models import Annotation, FunctionVote, JobRecord, LabelingFunction, Lot, Settlement
from marketplace.services import evidence, function_reports, functions, vetting
from marketplace.services.functions import Vote
from tests import kinds, market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (10_000, 20_000, 30_000)]


def votes(numbers, *, is_right: bool = True) -> list[Vote]:
    keys = [f"record-{i}" for i in numbers]
    return [Vote(key, market.CLASSES[(market.CLASSES.index(market.truth(key)) + (not is_right)) % 3]) for key in keys]


def put(job, name: str, given) -> LabelingFunction:
    return functions.put(actor=market.actor_of(job.organization), job_id=job.pk, name=name, votes=given)


def vet(job) -> None:
    vetting.vet_lot(lot_id=Lot.objects.get(job=job).pk)


def test_votes_are_no_opinions_of_people_and_earn_nothing(sellers):
    job = market.job(market.customer(), n_records=24, batch_size=24)
    put(job, "right", votes(range(24)))
    facts = evidence.of_job(job)
    assert {facts.n_answers(pk) for pk in job.records.values_list("pk", flat=True)} == {0}
    for one in sellers[:2]:
        market.work(one)
    facts = evidence.of_job(job)
    assert {facts.n_answers(pk) for pk in job.records.values_list("pk", flat=True)} == {2}
    assert len({g.annotator for g in facts.given}) == 2
    vet(job)
    assert set(Settlement.objects.values_list("vendor_id", flat=True)) == {one.vendor_id for one in sellers[:2]}
    assert {r.state for r in job.records.all()} == {"labeled"}


def test_functions_against_people_cost_nobody_pay(sellers):
    """Even sure functions that say something else leave verdicts and pay to what people say."""
    job = market.job(market.customer(), n_records=24, batch_size=24)
    for number in range(5):
        put(job, f"against {number}", votes(range(24), is_right=False))
    for one in sellers[:2]:
        market.work(one)
    vet(job)
    given = Annotation.objects.filter(job=job, vendor_id=sellers[0].vendor_id).count()
    assert set(Settlement.objects.filter(job=job).values_list("n_paid", flat=True)) == {given}
    assert not Annotation.objects.filter(job=job, state="rejected").exists()


def test_a_dispute_between_people_is_settled_by_good_functions(sellers):
    job = market.job(market.customer(), n_records=60, batch_size=60, max_overlap=2)
    put(job, "good", votes(range(60)))
    market.work(sellers[0])
    market.work(sellers[1], wrong=6)
    people = evidence.of_job(job)
    functions_of = JobRecord.objects.filter(job=job)
    disputed = [
        record
        for record in functions_of
        if len(set(Annotation.objects.filter(record=record).values_list("label", flat=True))) > 1
    ]
    assert disputed
    for record in disputed:
        right = market.CLASSES.index(market.truth(record.key))
        assert people.posterior(record.pk)[right] > people.of_people(record.pk)[right]
    vet(job)
    labels = {r.key: r.label for r in JobRecord.objects.filter(job=job)}
    assert all(label == market.CLASSES.index(market.truth(key)) for key, label in labels.items())


def test_the_report_tells_accuracy_conflicts_and_copies(sellers):
    job = market.job(market.customer(), n_records=60, batch_size=60)
    put(job, "good", votes(range(60)))
    put(job, "copy", votes(range(60)))
    put(job, "bad", votes(range(30), is_right=False))
    for one in sellers[:2]:
        market.work(one)
    good, copy, bad = function_reports.of_job(actor=market.actor_of(job.organization), job_id=job.pk)
    assert (good.same_as, copy.same_as, bad.same_as) == (["copy"], ["good"], [])
    assert good.accuracy > 0.9
    assert bad.accuracy < 0.2
    assert good.accuracy_low <= good.accuracy <= good.accuracy_high
    assert (good.n_votes, bad.n_votes) == (60, 30)
    assert good.overlap == 1.0
    assert (good.conflict, bad.conflict) == (0.5, 1.0)


def test_given_again_votes_are_replaced_and_abstentions_are_none(sellers):
    job = market.job(market.customer(), n_records=6)
    first = put(job, "one", votes(range(6)))
    again = put(job, "one", [*votes(range(2)), Vote("record-3", None), Vote("gold-1", "cat")])
    assert again.pk == first.pk
    assert FunctionVote.objects.filter(function=first).count() == 3
    assert FunctionVote.objects.filter(gold__key="gold-1").count() == 1
    with pytest.raises(NotFoundError):
        functions.drop(actor=market.customer(), function_id=first.pk)
    functions.drop(actor=market.actor_of(job.organization), function_id=first.pk)
    assert not FunctionVote.objects.exists()


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ([Vote("nobody", "cat")], "votes[0].key", "unknown_record"),
        ([Vote("record-0", "cow")], "votes[0].label", "unknown_class"),
        ([Vote("record-0", "cat"), Vote("record-0", "dog")], "votes[1].key", "duplicate_key"),
    ],
)
def test_faults_are_named_in_their_place_and_nothing_is_kept(sellers, given, field, code):
    job = market.job(market.customer(), n_records=2)
    with pytest.raises(ValidationFailedError) as refused:
        put(job, "one", given)
    assert [(error["field"], error["code"]) for error in refused.value.errors] == [(field, code)]
    assert not LabelingFunction.objects.exists()


def test_other_task_types_take_no_votes():
    kinds.seller("bbox")
    job = kinds.job(market.customer(), kinds.EXAMPLES["bbox"])
    with pytest.raises(ValidationFailedError, match="Functions vote on classes"):
        put(job, "one", [])
