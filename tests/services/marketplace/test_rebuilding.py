"""Beliefs told over again from the events are those that were kept up at once; what was tampered with is found."""

import datetime
import random
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from marketplace.models import Batch, JobRecord, Offer, Review
from marketplace.services import annotations, assignments, offering, offers, rebuilding, second_looks, vetting
from tests import market
from vendors.models import DurationPosterior, RatioPosterior

pytestmark = pytest.mark.django_db(transaction=True)


def _decide(one, offer, rng):
    kind = rng.choice(["work", "work", "part", "decline", "silent"])
    if kind == "decline":
        offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
        return
    if kind == "silent":
        past = timezone.now() - datetime.timedelta(hours=1)
        Offer.objects.filter(pk=offer.pk).update(created_at=past, expires_at=past + datetime.timedelta(minutes=1))
        return
    taken = offers.accept(actor=one.actor, offer_id=offer.pk)
    answers = market.answers_of(taken, limit=None if kind == "work" else 2)
    timed = [replace(answer, seconds=rng.uniform(1, 9)) for answer in answers]
    annotations.submit(actor=one.actor, assignment_id=taken.pk, answers=timed)
    if kind == "part":
        assignments.release(actor=one.actor, assignment_id=taken.pk, reason="no_capacity")


@pytest.fixture
def history():
    """A market with every kind of event: tests, answers, silences, failures, verdicts, hard records, corrections."""
    rng = random.Random(5)
    market.gold_set()
    sellers = [market.seller(price) for price in (30_000, 40_000, 50_000)]
    owner = market.customer()
    job = market.job(owner, n_records=60, batch_size=6, n_gold=5)
    JobRecord.objects.filter(job=job).update(difficulty=0.9)
    Batch.objects.filter(job=job).update(hard_ratio=1.0)
    for _ in range(12):
        offering.advance()
        for offer in Offer.objects.filter(state="live").order_by("pk"):
            one = next(s for s in sellers if s.vendor_id == offer.vendor_id)
            _decide(one, offer, rng)
        offering.expire()
    vetting.vet_lot(lot_id=job.lots.get().pk)
    wrong = {"cat": "dog", "dog": "bird", "bird": "cat"}
    for row in second_looks.draw(actor=owner, job_id=job.pk, n=6):
        second_looks.decide(actor=owner, review_id=row.pk, label=wrong[market.truth(row.record.key)])
    return sellers


def test_told_again_they_are_the_same(history):
    assert set(RatioPosterior.objects.values_list("metric", flat=True)) == set(RatioPosterior.Metric.values)
    assert set(DurationPosterior.objects.values_list("metric", flat=True)) == set(DurationPosterior.Metric.values)
    assert Review.objects.exists()
    assert rebuilding.run() == []


def test_what_was_tampered_with_is_found_and_put_right(history):
    before = list(RatioPosterior.objects.order_by("pk").values_list("successes", "failures", "n_observed"))
    changed = RatioPosterior.objects.filter(metric="accuracy").first()
    RatioPosterior.objects.filter(pk=changed.pk).update(successes=changed.successes + 3)
    gone = RatioPosterior.objects.filter(metric="completion").first()
    gone.delete()
    found = {(d.capability_id, d.metric) for d in rebuilding.run()}
    assert found == {(changed.capability_id, "accuracy"), (gone.capability_id, "completion")}
    with pytest.raises(CommandError, match="2 posteriors differ"):
        call_command("rebuild_posteriors")
    call_command("rebuild_posteriors", "--write")
    assert rebuilding.run() == []
    after = list(RatioPosterior.objects.order_by("pk").values_list("successes", "failures", "n_observed"))
    assert len(after) == len(before)
    assert sorted(after) == [pytest.approx(row, rel=0.02) for row in sorted(before)]
