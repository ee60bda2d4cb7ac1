"""Invariant 6: every state that is not final has a timer or an owner, in every state a batch can be in."""

import datetime

import pytest
from django.utils import timezone

from common.errors import ValidationFailedError
from marketplace.core.states import BATCH
from marketplace.models import Assignment, Batch, Lot, Offer
from marketplace.selectors import orphans
from marketplace.services import annotations, assignments, escalations, offering, offers, sweeper, vetting
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)
TERMS = {"n_gold": 0, "min_overlap": 1, "max_overlap": 1}


def expire_all() -> None:
    past = timezone.now() - datetime.timedelta(seconds=99)
    Offer.objects.filter(state="live").update(created_at=past, expires_at=timezone.now())
    offering.expire()
    offering.advance()


def offering_(one, job):
    offering.advance()


def waiting(one, job):
    offering.advance()
    expire_all()


def assigned(one, job):
    return offers.accept(actor=one.actor, offer_id=market.live_offer(one).pk)


def in_progress(one, job):
    work = assigned(one, job)
    annotations.submit(actor=one.actor, assignment_id=work.pk, answers=market.answers_of(work, limit=2))
    return work


def handed_on(one, job):
    assignments.release(actor=one.actor, assignment_id=in_progress(one, job).pk, reason="ill")


def delivered(one, job):
    market.work(one)


def done(one, job):
    market.work(one)
    vetting.vet_lot(lot_id=job.lots.get().pk)


WORLDS = {
    "offering": offering_,
    "waiting": waiting,
    "assigned": assigned,
    "in_progress": in_progress,
    "offering again": handed_on,
    "delivered": delivered,
    "done": done,
}
TIMERS_OFF = {
    "offering": lambda: Offer.objects.all().delete(),
    "waiting": lambda: Batch.objects.update(offer_due_at=None),
    "assigned": lambda: Assignment.objects.update(state="failed"),
    "in_progress": lambda: Assignment.objects.update(state="failed"),
    "offering again": lambda: Batch.objects.update(offer_due_at=None),
    "delivered": lambda: Lot.objects.update(vet_due_at=None),
}


def world(name):
    market.gold_set()
    one = market.seller(40_000)
    job = market.job(market.customer(), round_pause_s=600.0, **TERMS)
    WORLDS[name](one, job)
    return job


@pytest.mark.parametrize("name", WORLDS)
def test_no_batch_waits_for_nobody(name):
    job = world(name)
    assert Batch.objects.get(job=job).state == name.partition(" ")[0]
    assert orphans.find() == []


@pytest.mark.parametrize("name", TIMERS_OFF)
def test_a_batch_whose_timer_is_lost_is_found(name):
    world(name)
    TIMERS_OFF[name]()
    assert next(orphan.what for orphan in orphans.find()).startswith("batch")


def test_rework_has_a_timer_and_an_escalated_batch_its_customer():
    market.gold_set()
    one = market.seller(40_000)
    actor = market.customer()
    market.stuck_job(actor)
    assert Batch.objects.get().state == "escalated"
    assert orphans.find() == []
    market.job(market.customer(), **TERMS)
    work = market.work(one)
    Assignment.objects.filter(pk=work.pk).update(state="rework")
    Batch.objects.filter(pk=work.batch_id).update(state="rework")
    assert orphans.find() == []
    Assignment.objects.filter(pk=work.pk).update(state="accepted")
    assert [orphan.what for orphan in orphans.find()] == ["batch rework"]


def test_the_worlds_reach_every_open_state():
    reached = {name.partition(" ")[0] for name in WORLDS} | {"rework", "escalated"}
    # A draft lives only inside the transaction that makes it.
    assert {state.value for state, targets in BATCH.items() if targets} - reached == {"draft"}


@pytest.mark.parametrize("choice", ["raise_price", "relax_floor", "wait"])
def test_each_choice_of_an_escalated_batch_ranks_anew(choice):
    market.gold_set()
    market.seller(40_000)
    actor = market.customer()
    batch = Batch.objects.get(job=market.stuck_job(actor))
    before = batch.ranking_id
    limits = {"raise_price": {"max_price_micro": 40_000}, "relax_floor": {"min_accuracy": 0.1}, "wait": {"wait_s": 0.0}}
    escalations.resolve(actor=actor, batch_id=batch.pk, choice=choice, **limits[choice])
    assert orphans.find() == []
    sweeper.sweep()
    batch.refresh_from_db()
    assert batch.ranking_id != before
    assert batch.state == ("offering" if choice == "raise_price" else "escalated")
    assert orphans.find() == []


def test_waiting_has_a_timer_and_is_not_ranked_before():
    market.gold_set()
    market.seller(40_000)
    actor = market.customer()
    batch = Batch.objects.get(job=market.stuck_job(actor))
    for wrong in ({"choice": "wait", "wait_s": -1.0}, {"choice": "close", "wait_s": 5.0}):
        with pytest.raises(ValidationFailedError) as refused:
            escalations.resolve(actor=actor, batch_id=batch.pk, **wrong)
        assert refused.value.errors[0]["field"] == "wait_s"
    escalations.resolve(actor=actor, batch_id=batch.pk, choice="wait", wait_s=3600.0)
    sweeper.sweep()
    batch.refresh_from_db()
    assert batch.state == "waiting"
    assert 3590 < (batch.offer_due_at - timezone.now()).total_seconds() <= 3600
