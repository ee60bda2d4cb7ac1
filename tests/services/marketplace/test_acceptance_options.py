"""Options of acceptance: the standard's sampling plan, refused batches that stop, records sent to review."""

import pytest

from common.errors import ValidationFailedError
from marketplace.core.rules import Rule as Terms
from marketplace.errors import NotDecidedYetError
from marketplace.models import Assignment, Batch, JobRecord, Lot, Review, RoutingEvent, Verdict
from marketplace.services import escalations, prelabels, rulings, second_looks, vetting
from marketplace.services.prelabels import PreLabelInput
from tests import market
from tests.services.marketplace.test_rules import made

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (30_000, 40_000, 50_000)]


def vet(job) -> None:
    vetting.vet_lot(lot_id=Lot.objects.get(job=job).pk)


def test_the_standards_plan_decides_where_the_customer_wants_it(sellers):
    job = market.job(market.customer(), n_records=12, batch_size=12, aql=4.0)
    market.work(sellers[0])
    market.work(sellers[1], wrong=1)
    vet(job)
    verdicts = Verdict.objects.order_by("pk")
    assert verdicts.count() >= 1
    codes = {verdict.reasons[0]["code"] for verdict in verdicts}
    assert codes <= {"sample_accepted", "sample_refused"}
    assert all("ISO 2859-1" in verdict.words for verdict in verdicts)
    vet(job)
    assert Verdict.objects.count() == verdicts.count()


@pytest.mark.parametrize(("term", "value"), [("aql", 1.1), ("aql", float("nan")), ("max_relabels", 21)])
def test_terms_that_cannot_be_kept_are_refused(sellers, term, value):
    with pytest.raises(ValidationFailedError) as refused:
        market.job(market.customer(), **{term: value})
    assert [error["field"] for error in refused.value.errors] == [term]


def test_a_batch_refused_again_and_again_stops_and_its_customer_is_asked(sellers):
    owner = market.customer()
    terms = {"min_overlap": 1, "max_overlap": 1, "gold_ratio": 0.5, "n_gold": 20}
    job = market.job(owner, n_records=20, batch_size=20, max_relabels=1, **terms)
    market.work(sellers[0], wrong=99)
    vet(job)
    batch = Batch.objects.get(job=job)
    assert batch.state == "offering"
    market.work(sellers[1], wrong=99)
    vet(job)
    batch.refresh_from_db()
    assert (batch.state, batch.reason, batch.offer_due_at) == ("escalated", "relabel_limit", None)
    assert Assignment.objects.filter(batch=batch, state="rejected").count() == 2
    told = RoutingEvent.objects.get(job=job, kind="batch.escalated")
    assert told.facts == {"reason": "relabel_limit", "n_refused": 2}
    assert market.live_offer(sellers[2]) is None
    escalations.resolve(actor=owner, batch_id=batch.pk, choice="close")
    vet(job)
    assert Lot.objects.get(job=job).state == "closed"


def test_a_rule_sends_records_to_review_and_nobody_is_barred(sellers):
    owner = market.customer()
    job = market.job(owner, n_records=12, batch_size=12, min_overlap=1)
    terms = Terms("vendor", "constant_share", ">", 0.2, 3, "review", window_answers=5)
    made(owner, job, terms, "Look again")
    market.work(sellers[0])
    rulings.enforce_due()
    called = Review.objects.filter(job=job)
    assert 1 <= called.count() <= 5
    assert set(called.values_list("cause", "drawing", "chance")) == {("rule", 0, 1.0)}
    assert "share of the most frequent answer" in called[0].why
    with pytest.raises(NotDecidedYetError):
        second_looks.decide(actor=owner, review_id=called[0].pk, label="cat")
    rulings.enforce_due()
    assert called.count() == Review.objects.filter(job=job).count()


def test_what_was_called_for_says_nothing_of_the_accuracy_and_may_still_be_drawn(sellers):
    owner = market.customer()
    job = market.job(owner, n_records=6)
    JobRecord.objects.filter(job=job).update(state="labeled", label=0, confidence=0.9)
    records = list(JobRecord.objects.filter(job=job).order_by("pk").values_list("pk", flat=True))
    assert second_looks.call_for(job.pk, records[:2], Review.Cause.RULE, "See.") == 2
    assert second_looks.call_for(job.pk, records[:3], Review.Cause.RULE, "See.") == 1
    for review in Review.objects.filter(job=job):
        second_looks.decide(actor=owner, review_id=review.pk, label="dog", note="No.")
    assert second_looks.accuracy(actor=owner, job_id=job.pk) is None
    assert len(second_looks.draw(actor=owner, job_id=job.pk, n=6)) == 6


def test_an_answer_a_sure_model_contradicts_is_looked_at_not_refused(sellers):
    owner = market.customer()
    job = market.job(owner, n_records=6, min_overlap=1)
    rows = [PreLabelInput(f"record-{i}", market.truth(f"record-{i}"), 0.5) for i in range(4)]
    rows += [PreLabelInput("record-4", market.truth("record-5"), 0.96, _sure(market.truth("record-5")))]
    rows += [PreLabelInput("record-5", market.truth("record-5"), 0.96)]
    prelabels.put(actor=owner, job_id=job.pk, model="v7", rows=rows)
    market.work(sellers[0])
    called = Review.objects.get(job=job)
    assert (called.record.key, called.cause, called.why) == ("record-4", "model", "v7 is sure of something else.")
    assert set(job.annotations.values_list("state", flat=True)) == {"pending"}


def _sure(name: str) -> list[float]:
    return [0.96 if one == name else 0.02 for one in market.CLASSES]
