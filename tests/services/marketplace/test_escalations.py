"""The customer's choices when nobody takes a batch."""

import pytest

from common.errors import NotFoundError, ValidationFailedError
from marketplace.errors import BatchStateError
from marketplace.models import Batch, JobRecord, Lot
from marketplace.services import escalations, offers, sweeper, vetting
from tests import market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stuck():
    market.gold_set()
    one = market.seller(40_000)
    actor = market.customer()
    batch = Batch.objects.get(job=market.stuck_job(actor))
    assert (batch.state, batch.reason) == ("escalated", "no_candidate")
    return actor, one, batch


def test_a_higher_price_brings_the_batch_back_on_offer(stuck):
    actor, one, batch = stuck
    escalations.resolve(actor=actor, batch_id=batch.pk, choice="raise_price", max_price_micro=40_000)
    sweeper.sweep()
    assert market.live_offer(one).batch_id == batch.pk


def test_closing_ends_the_records_without_an_answer(stuck):
    actor, _, batch = stuck
    escalations.resolve(actor=actor, batch_id=batch.pk, choice="close")
    vetting.vet_lot(lot_id=batch.lot_id)
    assert Lot.objects.get().state == "closed"
    assert set(JobRecord.objects.values_list("state", "reason")) == {("unresolved", "no_answer")}


def test_only_an_escalated_batch_of_ones_own_can_be_resolved(stuck):
    actor, _, batch = stuck
    with pytest.raises(NotFoundError):
        escalations.resolve(actor=market.customer(), batch_id=batch.pk, choice="wait")
    with pytest.raises(ValidationFailedError):
        escalations.resolve(actor=actor, batch_id=batch.pk, choice="raise_price")
    escalations.resolve(actor=actor, batch_id=batch.pk, choice="wait")
    with pytest.raises(BatchStateError):
        escalations.resolve(actor=actor, batch_id=batch.pk, choice="wait")


def test_after_exhausted_rounds_waiting_offers_to_the_same_vendors_again():
    market.gold_set()
    one = market.seller(40_000)
    actor = market.customer()
    job = market.job(actor, min_overlap=1, max_rounds=1)
    offer = market.live_offer(one)
    offers.decline(actor=one.actor, offer_id=offer.pk, reason="other")
    sweeper.sweep()
    batch = Batch.objects.get(job=job)
    assert (batch.state, batch.reason) == ("escalated", "candidates_exhausted")
    escalations.resolve(actor=actor, batch_id=batch.pk, choice="wait")
    sweeper.sweep()
    assert market.live_offer(one).round == 2
