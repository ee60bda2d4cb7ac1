"""Disputes: opened in time, decided blind, and everything that used the wrong label follows as a correction."""

import datetime

import pytest
from django.db.models import F

from common.actors import Actor
from common.errors import NotFoundError, PermissionDeniedError, ValidationFailedError
from common.scopes import scopes_of
from marketplace.errors import AlreadyDecidedError, DisputeWindowOverError, NothingToDisputeError
from marketplace.models import (
    Adjudication,
    Annotation,
    Assignment,
    Correction,
    Dispute,
    GoldRecord,
    JobRecord,
    Settlement,
    SettlementAdjustment,
    Verdict,
)
from marketplace.selectors import disputes as selectors
from marketplace.services import annotations, consensus, disputes, histories, offers, vetting
from marketplace.services.annotations import Answer
from marketplace.services.histories import Subject
from tests import market
from vendors.models import RatioPosterior

LOOSE = {"accuracy_floor": 0.5}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(price) for price in (30_000, 40_000, 50_000)]


def deliver(one, wrong_keys=()):
    """Take the live offer and answer it whole, wrongly on the given keys."""
    work = offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)
    answers = []
    for item in work.items.select_related("record", "gold").order_by("position"):
        key = (item.record or item.gold).key
        place = market.CLASSES.index(market.truth(key)) + (key in wrong_keys)
        answers.append(Answer(item.pk, market.CLASSES[place % 3]))
    annotations.submit(actor=one.actor, assignment_id=work.pk, answers=answers)
    return work


def vet(job):
    for lot in job.lots.filter(state="open"):
        vetting.vet_lot(lot_id=lot.pk)


@pytest.fixture
def misled(sellers, monkeypatch):
    """A job whose first two vendors make the same mistake, so that the third one's right answer is refused."""
    monkeypatch.setattr(consensus, "CONTRADICTED", 0.8)
    job = market.job(market.customer(), n_records=20, batch_size=20, n_gold=0, min_overlap=3, max_overlap=3)
    works = [deliver(one, {"record-4"} if place < 2 else ()) for place, one in enumerate(sellers)]
    vet(job)
    assert JobRecord.objects.get(job=job, key="record-4").label == 2
    return job, works[2], sellers[2]


def decide(actor=None, label="dog", note="It barks."):
    row = Adjudication.objects.filter(decided_at=None).order_by("pk").first()
    return disputes.adjudicate(actor=actor or market.staff(), adjudication_id=row.pk, label=label, note=note)


def test_an_upheld_dispute_corrects_the_record_and_pays(misled):
    job, work, one = misled
    refused = Annotation.objects.get(assignment=work, state="rejected")
    before = Settlement.objects.get(assignment=work)
    belief = RatioPosterior.objects.get(capability_id=one.capability_id, metric="accuracy")
    row = disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="That is a dog.", key="record-4")
    assert decide().is_upheld
    record = JobRecord.objects.get(job=job, key="record-4")
    assert record.label == 1
    assert 0 < record.confidence < 1
    correction = Correction.objects.get()
    assert (correction.old_label, correction.new_label, correction.reason) == (2, 1, "It barks.")
    adjustment = SettlementAdjustment.objects.get()
    assert (adjustment.settlement, adjustment.annotation, adjustment.vendor_micro) == (before, refused, 50_000)
    assert adjustment.payer == "job"
    job.refresh_from_db()
    assert job.spent_micro == sum(s.vendor_micro + s.fee_micro for s in Settlement.objects.all()) + 55_000
    assert Settlement.objects.get(pk=before.pk).vendor_micro == before.vendor_micro  # the first settlement stays
    after = RatioPosterior.objects.get(pk=belief.pk)
    assert after.successes == pytest.approx(belief.successes + 0.5)
    assert after.failures == pytest.approx(max(belief.failures - 0.5, 0))
    row.refresh_from_db()
    assert row.state == Dispute.State.UPHELD
    kinds = set(job.events.values_list("kind", flat=True))
    assert {"dispute.opened", "record.corrected", "settlement.adjusted", "dispute.decided"} <= kinds


def test_a_refused_dispute_changes_nothing(misled):
    job, work, one = misled
    disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="A dog!", key="record-4")
    assert not decide(label="bird").is_upheld
    assert Dispute.objects.get().state == Dispute.State.REFUSED
    assert not Correction.objects.exists()
    assert not SettlementAdjustment.objects.exists()
    assert JobRecord.objects.get(job=job, key="record-4").label == 2


def test_deciding_twice_is_one_decision_and_another_is_refused(misled):
    _, work, one = misled
    disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="A dog!", key="record-4")
    row = decide()
    again = disputes.adjudicate(actor=market.staff(), adjudication_id=row.pk, label="dog", note="Once more.")
    assert again.note == "It barks."
    with pytest.raises(AlreadyDecidedError):
        disputes.adjudicate(actor=market.staff(), adjudication_id=row.pk, label="cat", note="No.")
    assert (Correction.objects.count(), SettlementAdjustment.objects.count()) == (1, 1)


def test_whoever_decides_cannot_see_whose_answer_is_whose(misled, django_assert_max_num_queries):
    _, work, one = misled
    disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="It is a dog!", key="record-4")
    boss = market.staff()
    with django_assert_max_num_queries(2):
        (seen,) = selectors.blind(list(selectors.to_decide(boss)))
    assert sorted(seen.candidates) == ["bird", "dog"]
    told = repr(seen)
    for secret in (one.vendor_id, work.pk, Annotation.objects.get(state="rejected").pk, "It is a dog!"):
        assert str(secret) not in told
    assert list(selectors.to_decide(one.actor)) == []


def test_wrong_gold_is_corrected_with_all_that_used_it(sellers):
    job = market.job(market.customer(), n_records=12, batch_size=12, n_gold=4, gold_ratio=0.34, max_overlap=2, **LOOSE)
    GoldRecord.objects.filter(job=job, key="gold-0").update(label=1)  # the customer errs: it is 0
    works = [deliver(one) for one in sellers[:2]]
    vet(job)
    one, work = sellers[0], works[0]
    belief = RatioPosterior.objects.get(capability_id=one.capability_id, metric="accuracy")
    subject = Subject(one.vendor_id, "")
    assert histories.load(job_id=job.pk, by="vendor")[subject].history.gold_right[~_nan(job, subject)].mean() == 0.75
    disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="Your gold is wrong.")
    decide(label="cat", note="A cat indeed.")
    assert GoldRecord.objects.get(job=job, key="gold-0").label == 0
    assert Correction.objects.get().gold.key == "gold-0"
    assert histories.load(job_id=job.pk, by="vendor")[subject].history.gold_right[~_nan(job, subject)].mean() == 1.0
    moved = RatioPosterior.objects.get(pk=belief.pk)
    assert moved.successes == pytest.approx(belief.successes + 1)
    # Both vendors answered this gold record rightly; both are paid for it now.
    assert set(SettlementAdjustment.objects.values_list("settlement__vendor_id", flat=True)) == {
        sellers[0].vendor_id,
        sellers[1].vendor_id,
    }


def _nan(job, subject):
    import numpy as np

    return np.isnan(histories.load(job_id=job.pk, by="vendor")[subject].history.gold_right)


def test_a_rejection_by_wrong_gold_is_decided_anew(sellers):
    job = market.job(
        market.customer(),
        n_records=10,
        batch_size=10,
        n_gold=10,
        gold_ratio=0.5,
        min_overlap=1,
        max_overlap=1,
        accuracy_floor=0.9,
    )
    GoldRecord.objects.filter(job=job).update(label=(F("label") + 1) % 3)  # all gold is wrong
    work = deliver(sellers[0])
    vet(job)
    work.refresh_from_db()
    assert work.state == "rejected"
    assert Settlement.objects.get(assignment=work).n_paid == 0
    disputes.open_dispute(actor=sellers[0].actor, assignment_id=work.pk, text="All your gold is wrong.")
    on_gold = Adjudication.objects.filter(annotation__gold__isnull=False).select_related("annotation__gold")
    for row in on_gold.order_by("pk"):
        label = market.truth(row.annotation.gold.key)
        disputes.adjudicate(actor=market.staff(), adjudication_id=row.pk, label=label, note="The gold was wrong.")
    newest = Verdict.objects.filter(assignment=work).order_by("-pk").first()
    assert (newest.outcome, newest.reasons[0]["code"]) == ("accepted", "gold_corrected")
    assert Verdict.objects.filter(assignment=work, outcome="rejected").count() == 1  # the first one stays
    assert SettlementAdjustment.objects.filter(settlement__assignment=work).count() >= on_gold.count()
    assert Assignment.objects.get(pk=work.pk).state == "rejected"


def test_what_cannot_be_disputed_is_refused_with_the_reason(misled, sellers):
    _, work, one = misled
    with pytest.raises(NothingToDisputeError):
        disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="Why?", key="record-5")
    with pytest.raises(ValidationFailedError):
        disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="  ", key="record-4")
    with pytest.raises(NotFoundError):
        disputes.open_dispute(actor=sellers[0].actor, assignment_id=work.pk, text="Mine?", key="record-4")
    Settlement.objects.update(created_at=F("created_at") - datetime.timedelta(days=8))
    Verdict.objects.update(created_at=F("created_at") - datetime.timedelta(days=8))
    with pytest.raises(DisputeWindowOverError):
        disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="Late.", key="record-4")
    assert not Dispute.objects.exists()


def test_disputing_twice_is_one_dispute(misled):
    _, work, one = misled
    first = disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="A dog!", key="record-4")
    assert disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="Again!") == first
    assert Adjudication.objects.count() == 1


def test_only_staff_decides_and_whom_it_asks(misled):
    _, work, one = misled
    disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="A dog!", key="record-4")
    for kind, error in (("vendor", NotFoundError), ("customer", PermissionDeniedError)):
        with pytest.raises(error):
            decide(actor=Actor(one.actor.organization_id, kind, scopes=scopes_of(kind)))


def test_when_the_budget_is_used_up_the_platform_pays(misled):
    job, work, one = misled
    job.refresh_from_db()
    type(job).objects.filter(pk=job.pk).update(budget_micro=F("committed_micro"))
    disputes.open_dispute(actor=one.actor, assignment_id=work.pk, text="A dog!", key="record-4")
    decide()
    adjustment = SettlementAdjustment.objects.get()
    assert (adjustment.payer, adjustment.vendor_micro, adjustment.fee_micro) == ("platform", 50_000, 0)
