"""Accepted work: delivery, timers, partial delivery kept, budget and slots given back."""

import dataclasses
import uuid

import pytest
from django.utils import timezone

from common.errors import NotFoundError, ValidationFailedError
from marketplace.errors import AssignmentClosedError
from marketplace.models import Annotation, Assignment, Batch, Job, Offer
from marketplace.services import annotations, assignments, cancellations, offers
from marketplace.services.annotations import Answer
from tests import market
from vendors.models import CapacityWindow, RatioPosterior

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world():
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000, 50_000)]
    return sellers, market.job(market.customer(), min_overlap=1, gold_ratio=0.0)


def accepted(one: market.Seller) -> Assignment:
    return offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)


def in_flight(one: market.Seller) -> int:
    return CapacityWindow.objects.get(vendor_id=one.vendor_id).in_flight


def test_delivery_hands_the_batch_to_vetting_and_frees_the_slot(world):
    (first, *_), job = world
    assignment = market.work(first)
    assert assignment.state == "submitted"
    assert Batch.objects.get(job=job).state == "delivered"
    assert in_flight(first) == 0
    assert Annotation.objects.filter(instruction__version=1).count() == 6


def test_work_never_started_is_released_and_offered_on(world):
    (first, second, _), job = world
    assignment = accepted(first)
    answers = market.answers_of(assignment)
    Assignment.objects.update(lapse_at=timezone.now())
    assert assignments.sweep_timers() == 1
    assignment.refresh_from_db()
    assert (assignment.state, assignment.reason) == ("failed", "not_started")
    with pytest.raises(AssignmentClosedError, match="This assignment is failed"):
        annotations.submit(actor=first.actor, assignment_id=assignment.pk, answers=answers)
    assert in_flight(first) == 0
    assert market.live_offer(second) is not None
    assert RatioPosterior.objects.get(capability_id=first.capability_id, metric="completion").failures == 1.0
    job.refresh_from_db()
    assert job.committed_micro == 0


def test_partial_delivery_is_kept_and_only_the_rest_is_offered_on(world):
    (first, second, _), job = world
    assignment = accepted(first)
    annotations.submit(actor=first.actor, assignment_id=assignment.pk, answers=market.answers_of(assignment, limit=4))
    Assignment.objects.update(due_at=timezone.now())
    assert assignments.sweep_timers() == 1
    offer = market.live_offer(second)
    assert offer.n_items == 2
    again = offers.accept(actor=second.actor, offer_id=offer.pk)
    annotations.submit(actor=second.actor, assignment_id=again.pk, answers=market.answers_of(again))
    counts = {
        vendor.vendor_id: Annotation.objects.filter(vendor_id=vendor.vendor_id).count() for vendor in (first, second)
    }
    assert list(counts.values()) == [4, 2]
    assert Batch.objects.get(job=job).state == "delivered"
    job.refresh_from_db()
    assert job.committed_micro == 4 * 33_000 + 2 * 44_000


def test_a_vendor_may_release_and_never_sees_the_batch_again(world):
    (first, second, _), _ = world
    assignment = accepted(first)
    assignments.release(actor=first.actor, assignment_id=assignment.pk, reason="no_capacity")
    assert assignments.release(actor=first.actor, assignment_id=assignment.pk, reason="no_capacity").state == "failed"
    assert market.live_offer(second) is not None
    assert Offer.objects.filter(vendor_id=first.vendor_id).count() == 1


def test_delivery_after_the_deadline_is_refused_though_no_sweeper_ran(world):
    (first, *_), _ = world
    assignment = accepted(first)
    Assignment.objects.update(lapse_at=timezone.now())
    with pytest.raises(AssignmentClosedError):
        annotations.submit(actor=first.actor, assignment_id=assignment.pk, answers=market.answers_of(assignment))
    assert not Annotation.objects.exists()


def bad_answers(answer: Answer) -> dict[str, list[Answer]]:
    change = dataclasses.replace
    return {
        "unknown_record": [change(answer, item_id=uuid.uuid4())],
        "duplicate_key": [answer, answer],
        "unknown_class": [change(answer, label="unicorn")],
        "missing_label": [change(answer, label=None)],
        "unknown_reason": [change(answer, label=None, cannot_label="tired")],
    }


@pytest.mark.parametrize(
    "code", ["unknown_record", "duplicate_key", "unknown_class", "missing_label", "unknown_reason"]
)
def test_bad_answers_are_refused_whole_with_their_place(world, code):
    (first, *_), _ = world
    assignment = accepted(first)
    good = market.answers_of(assignment)
    bad = bad_answers(good[0])[code]
    first_bad = len(good) - 1
    with pytest.raises(ValidationFailedError) as caught:
        annotations.submit(actor=first.actor, assignment_id=assignment.pk, answers=[*good[1:], *bad])
    assert caught.value.errors[0]["code"] == code
    assert caught.value.errors[0]["field"].startswith(f"annotations[{first_bad}].")
    assert not Annotation.objects.exists()
    assignment.refresh_from_db()
    assert assignment.state == "reserved"


def test_the_last_answer_counts_and_history_is_kept(world):
    (first, *_), _ = world
    assignment = accepted(first)
    answers = market.answers_of(assignment)
    for label in ("cat", "dog", "dog"):
        one = [dataclasses.replace(answers[0], label=label)]
        annotations.submit(actor=first.actor, assignment_id=assignment.pk, answers=one)
    rows = Annotation.objects.order_by("pk").values_list("label", "is_current")
    assert list(rows) == [(0, False), (1, True)]


def test_a_delivery_sent_twice_is_taken_once(world):
    (first, *_), _ = world
    assignment = accepted(first)
    answers = market.answers_of(assignment)
    annotations.submit(actor=first.actor, assignment_id=assignment.pk, answers=answers)
    again = annotations.submit(actor=first.actor, assignment_id=assignment.pk, answers=answers)
    assert again.n_new == 0
    assert Annotation.objects.count() == 6
    changed = [dataclasses.replace(answers[0], label=None, cannot_label="other")]
    with pytest.raises(AssignmentClosedError):
        annotations.submit(actor=first.actor, assignment_id=assignment.pk, answers=changed)


def test_another_vendors_work_is_not_found(world):
    (first, second, _), _ = world
    assignment = accepted(first)
    with pytest.raises(NotFoundError):
        annotations.submit(actor=second.actor, assignment_id=assignment.pk, answers=[])
    with pytest.raises(NotFoundError):
        assignments.release(actor=second.actor, assignment_id=assignment.pk, reason="other")


def test_cancel_withdraws_offers_and_frees_work_without_blame():
    market.gold_set()
    one = market.seller(30_000)
    actor = market.customer()
    job = market.job(actor, min_overlap=1, n_records=12, gold_ratio=0.0)
    accepted(one)
    cancellations.cancel_job(actor=actor, job_id=job.pk)
    assert cancellations.cancel_job(actor=actor, job_id=job.pk).state == "cancelled"
    assert set(Batch.objects.values_list("state", flat=True)) == {"cancelled"}
    assert set(Assignment.objects.values_list("state", flat=True)) == {"cancelled"}
    assert not Offer.objects.filter(state="live").exists()
    assert in_flight(one) == 0
    assert Job.objects.get().committed_micro == 0
    assert not RatioPosterior.objects.filter(metric="completion").exists()
