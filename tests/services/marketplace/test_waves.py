"""Waves: after the first miss of a speed job several vendors are asked at once, and one wins."""

import threading

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from common.errors import ConflictError, ValidationFailedError
from marketplace.core.routing import Weights
from marketplace.errors import OfferTakenError
from marketplace.models import Assignment, Batch, Offer, RoutingEvent
from marketplace.services import cancellations, offering, offers, sweeper
from tests import market
from vendors.models import CapacityWindow, RatioPosterior

pytestmark = pytest.mark.django_db(transaction=True)


def wave_job(wave_size: int = 2, **terms):
    terms = {"min_overlap": 1, "max_offers": 20} | terms
    return market.job(market.customer(), weights=Weights.of("speed"), wave_size=wave_size, **terms)


@pytest.fixture
def sellers():
    market.gold_set()
    return {one.vendor_id: one for one in (market.seller(price) for price in (30_000, 40_000, 50_000, 60_000))}


def live() -> list[Offer]:
    return list(Offer.objects.filter(state="live").order_by("slot"))


def expire(**which) -> int:
    past = timezone.now() - timezone.timedelta(seconds=99)
    Offer.objects.filter(state="live", **which).update(created_at=past, expires_at=timezone.now())
    return offering.expire()


def second_wave(sellers, wave_size: int = 2) -> list[Offer]:
    """Post a job, let the first offer run out, and return the wave that follows."""
    wave_job(wave_size)
    offering.advance()
    assert len(live()) == 1
    assert expire() == 1
    offering.advance()
    return live()


@pytest.mark.parametrize("wave_size", [1, 2, 3])
def test_one_vendor_is_asked_first_and_a_whole_wave_after_a_miss(sellers, wave_size):
    wave = second_wave(sellers, wave_size)
    assert [offer.slot for offer in wave] == list(range(wave_size))
    assert [offer.sequence for offer in wave] == sorted(offer.sequence for offer in wave)
    assert len({offer.vendor_id for offer in wave}) == wave_size
    assert Batch.objects.get().n_offers == 1 + wave_size


def test_a_decline_is_replaced_in_its_own_slot(sellers):
    first, second = second_wave(sellers)
    offers.decline(actor=sellers[first.vendor_id].actor, offer_id=first.pk, reason="other")
    offering.advance()
    assert [(offer.slot, offer.pk == second.pk) for offer in live()] == [(0, False), (1, True)]


def test_the_winner_takes_all_and_the_loser_is_told_without_blame(sellers):
    winner, loser = second_wave(sellers)
    offers.accept(actor=sellers[winner.vendor_id].actor, offer_id=winner.pk)
    loser.refresh_from_db()
    assert (loser.state, loser.reason) == ("withdrawn", "lost_wave")
    with pytest.raises(OfferTakenError, match="taken by another vendor"):
        offers.accept(actor=sellers[loser.vendor_id].actor, offer_id=loser.pk)
    capability = sellers[loser.vendor_id].capability_id
    assert not RatioPosterior.objects.filter(capability_id=capability, metric="acceptance").exists()
    told = RoutingEvent.objects.get(kind="offer.withdrawn")
    assert (told.subject, told.facts) == (loser.pk, {"reason": "lost_wave"})


def test_a_batch_is_not_exhausted_while_a_sibling_is_live(sellers):
    wave = second_wave(sellers, 3)
    for offer in wave[:2]:
        offers.decline(actor=sellers[offer.vendor_id].actor, offer_id=offer.pk, reason="other")
    offering.advance()
    batch = Batch.objects.get()
    assert (batch.state, len(live())) == ("offering", 1)
    assert batch.offer_due_at == wave[2].expires_at
    expire()
    sweeper.sweep()
    sweeper.sweep()
    assert Batch.objects.get().round == 2


def test_a_loser_left_over_by_a_crash_is_withdrawn_and_not_silent(sellers):
    winner, loser = second_wave(sellers)
    offers.accept(actor=sellers[winner.vendor_id].actor, offer_id=winner.pk)
    Offer.objects.filter(pk=loser.pk).update(state="live", decided_at=None, reason="")
    assert expire(pk=loser.pk) == 0
    loser.refresh_from_db()
    assert (loser.state, loser.reason) == ("withdrawn", "lost_wave")
    capability = sellers[loser.vendor_id].capability_id
    assert not RatioPosterior.objects.filter(capability_id=capability, metric="acceptance").exists()


def test_max_offers_bounds_a_wave(sellers):
    wave_job(3, max_offers=3)
    offering.advance()
    expire()
    offering.advance()
    assert len(live()) == 2
    expire()
    offering.advance()
    assert Batch.objects.get().state == "escalated"


@pytest.mark.parametrize(
    ("wave_size", "priority", "code"),
    [(0, "speed", "out_of_range"), (4, "speed", "out_of_range"), (2, "cost", "not_for_this_priority")],
)
def test_waves_are_for_speed_and_small(wave_size, priority, code):
    with pytest.raises(ValidationFailedError) as refused:
        market.job(market.customer(), weights=Weights.of(priority), wave_size=wave_size)
    assert [(e["field"], e["code"]) for e in refused.value.errors] == [("wave_size", code)]


def test_cancelling_a_job_withdraws_whole_waves(sellers):
    customer = market.customer()
    job = market.job(customer, weights=Weights.of("speed"), wave_size=2, min_overlap=1)
    offering.advance()
    expire()
    offering.advance()
    cancellations.cancel_job(actor=customer, job_id=job.pk)
    assert sorted(Offer.objects.values_list("state", "reason")) == [
        ("expired", "no_answer"),
        ("withdrawn", "job_cancelled"),
        ("withdrawn", "job_cancelled"),
    ]
    assert Batch.objects.get().offer_due_at is None


class Starter:
    """Threads that decide at the same moment."""

    def __init__(self, n: int) -> None:
        self.barrier = threading.Barrier(n)
        self.said: list[str] = []
        self.errors: list[BaseException] = []

    def run(self, act) -> None:
        try:
            self.barrier.wait(10)
            act()
            self.said.append("done")
        except ConflictError as error:
            self.said.append(error.code)
        except BaseException as error:  # a thread must not die unseen
            self.errors.append(error)
        finally:
            connection.close()

    def all(self, acts) -> list[str]:
        threads = [threading.Thread(target=self.run, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        close_old_connections()
        assert self.errors == []
        return sorted(self.said)


@pytest.mark.parametrize("number", range(12))
def test_siblings_that_accept_at_once_have_one_winner_and_no_deadlock(sellers, number):
    wave = second_wave(sellers, 3)
    acts = [
        lambda offer=offer: offers.accept(actor=sellers[offer.vendor_id].actor, offer_id=offer.pk) for offer in wave
    ]
    assert Starter(3).all(acts) == ["done", "offer_taken", "offer_taken"]
    assert sorted(Offer.objects.filter(round=1, sequence__gte=0).values_list("state", flat=True)) == [
        "accepted",
        "expired",
        "withdrawn",
        "withdrawn",
    ]
    assert Assignment.objects.count() == 1
    assert sum(CapacityWindow.objects.values_list("in_flight", flat=True)) == 1


@pytest.mark.parametrize("number", range(6))
def test_accept_decline_expiry_and_cancel_of_one_wave_at_once(sellers, number):
    customer = market.customer()
    job = market.job(customer, weights=Weights.of("speed"), wave_size=3, min_overlap=1)
    offering.advance()
    expire()
    offering.advance()
    first, second, third = live()
    Offer.objects.filter(pk=third.pk).update(created_at=third.created_at - timezone.timedelta(hours=1))
    Offer.objects.filter(pk=third.pk).update(expires_at=timezone.now())
    acts = [
        lambda: offers.accept(actor=sellers[first.vendor_id].actor, offer_id=first.pk),
        lambda: offers.decline(actor=sellers[second.vendor_id].actor, offer_id=second.pk, reason="other"),
        offering.expire,
        offering.expire,
        lambda: cancellations.cancel_job(actor=customer, job_id=job.pk),
    ]
    Starter(5).all(acts)
    ended = RoutingEvent.objects.filter(kind__startswith="offer.").exclude(kind="offer.made")
    assert not Offer.objects.filter(state="live").exists()
    assert ended.count() == Offer.objects.count() == len(set(ended.values_list("subject", flat=True)))
    assert Batch.objects.get().state == "cancelled"
