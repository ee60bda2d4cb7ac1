"""Who came too late may say so, and comes first among equals when the batch comes back."""

import pytest
from django.utils import timezone

from common import outbox
from common.errors import NotFoundError, PermissionDeniedError
from marketplace.errors import BatchStateError, OfferClosedError, OfferExpiredError
from marketplace.models import Assignment, Batch, Candidate, Job, LateInterest, Lot, Notice, Offer, RoutingEvent
from marketplace.services import annotations, cancellations, interests, offering, offers, sweeper, vetting
from tests import market
from vendors.models import CapacityWindow, RatioPosterior

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sellers():
    market.gold_set()
    return [market.seller(40_000) for _ in range(3)]


def seller_of(sellers, offer: Offer) -> market.Seller:
    return next(one for one in sellers if one.vendor_id == offer.vendor_id)


def expire_all() -> None:
    past = timezone.now() - timezone.timedelta(seconds=99)
    Offer.objects.filter(state="live").update(created_at=past, expires_at=timezone.now())


def first_offer(**terms) -> Offer:
    market.job(market.customer(), min_overlap=1, **terms)
    offering.advance()
    return Offer.objects.get(state="live")


def test_late_interest_is_noted_once_and_served_first_among_equals(sellers):
    offer = first_offer()
    late = seller_of(sellers, offer)
    for _ in range(3):
        expire_all()
        with pytest.raises(OfferExpiredError):
            offers.accept(actor=late.actor, offer_id=offer.pk)
        sweeper.sweep()
    noted = interests.register(actor=late.actor, offer_id=offer.pk)
    assert interests.register(actor=late.actor, offer_id=offer.pk).pk == noted.pk
    # All three were silent once and cost the same; without its interest the one asked first would come last.
    RatioPosterior.objects.filter(metric="acceptance").delete()
    expire_all()
    sweeper.sweep()
    sweeper.sweep()
    batch = Batch.objects.get()
    assert batch.round == 2
    assert Candidate.objects.get(run=batch.ranking, sequence=0).vendor_id == late.vendor_id
    noted.refresh_from_db()
    assert noted.considered_at is not None
    while outbox.relay():
        pass
    notice = Notice.objects.get(kind="batch.back")
    assert (notice.vendor_id, notice.subject, notice.facts["place"]) == (late.vendor_id, batch.pk, 0)
    assert LateInterest.objects.count() == 1


def test_interest_is_for_those_who_came_late(sellers):
    offer = first_offer()
    one = seller_of(sellers, offer)
    with pytest.raises(OfferClosedError, match="live: accept it"):
        interests.register(actor=one.actor, offer_id=offer.pk)
    with pytest.raises(NotFoundError):
        interests.register(actor=next(s for s in sellers if s is not one).actor, offer_id=offer.pk)
    offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
    with pytest.raises(OfferClosedError, match="came late"):
        interests.register(actor=one.actor, offer_id=offer.pk)


def test_interest_in_a_batch_at_its_end_is_refused(sellers):
    offer = first_offer()
    one = seller_of(sellers, offer)
    expire_all()
    offering.expire()
    Batch.objects.update(state="done", offer_due_at=None)
    with pytest.raises(OfferClosedError, match="will not come back"):
        interests.register(actor=one.actor, offer_id=offer.pk)


def test_staff_takes_an_offer_back_without_blame(sellers):
    offer = first_offer()
    one = seller_of(sellers, offer)
    with pytest.raises(PermissionDeniedError):
        cancellations.withdraw_offer(actor=one.actor, offer_id=offer.pk, reason="no")
    for _ in range(2):
        taken = cancellations.withdraw_offer(actor=market.staff(), offer_id=offer.pk, reason="sanctions check")
        assert (taken.state, taken.reason) == ("withdrawn", "sanctions check")
    assert not RatioPosterior.objects.filter(metric="acceptance").exists()
    offering.advance()
    assert Offer.objects.get(state="live").vendor_id != one.vendor_id
    assert RoutingEvent.objects.filter(kind="offer.withdrawn").count() == 1


@pytest.mark.parametrize("state", ["offering", "waiting", "escalated", "assigned", "in_progress"])
def test_a_batch_is_cancelled_from_any_state_before_delivered(sellers, state):
    customer = market.customer()
    job = market.job(customer, min_overlap=1, n_gold=0, max_overlap=1)
    offering.advance()
    offer = Offer.objects.get(state="live")
    one = seller_of(sellers, offer)
    if state in {"assigned", "in_progress"}:
        work = offers.accept(actor=one.actor, offer_id=offer.pk)
        if state == "in_progress":
            some = market.answers_of(work, limit=4)
            annotations.submit(actor=one.actor, assignment_id=work.pk, answers=some)
    elif state != "offering":
        Offer.objects.update(state="expired", decided_at=timezone.now())
        Batch.objects.update(state=state, offer_due_at=None)
    batch = Batch.objects.get()
    for _ in range(2):
        assert cancellations.cancel_batch(actor=customer, batch_id=batch.pk).reason == "batch_cancelled"
    assert not Offer.objects.filter(state="live").exists()
    assert set(CapacityWindow.objects.values_list("in_flight", flat=True)) == {0}
    assert not RatioPosterior.objects.filter(metric="completion").exists()
    assert set(Assignment.objects.values_list("state", flat=True)) <= {"cancelled"}
    vetting.vet_lot(lot_id=batch.lot_id)
    assert Lot.objects.get().state == "closed"
    job.refresh_from_db()
    n_paid = 4 if state == "in_progress" else 0
    assert job.committed_micro == job.spent_micro == n_paid * 44_000
    assert Job.objects.get().state == "open"


def test_a_delivered_batch_is_not_cancelled(sellers):
    customer = market.customer()
    market.job(customer, min_overlap=1)
    offering.advance()
    market.work(seller_of(sellers, Offer.objects.get(state="live")))
    with pytest.raises(BatchStateError, match="vetted and paid"):
        cancellations.cancel_batch(actor=customer, batch_id=Batch.objects.get().pk)
    with pytest.raises(NotFoundError):
        cancellations.cancel_batch(actor=market.customer(), batch_id=Batch.objects.get().pk)
