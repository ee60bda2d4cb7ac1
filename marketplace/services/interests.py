"""Late interest: a vendor that missed its time, or lost a wave, may say that it still wants the batch."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import transaction

from common import outbox
from common.actors import Actor
from common.clock import Now, database_now
from common.errors import NotFoundError
from marketplace.core.states import BATCH, LOST_WAVE, BatchState, OfferState
from marketplace.errors import OfferClosedError
from marketplace.models import Batch, Candidate, LateInterest, Offer, RankingRun
from marketplace.services import events
from vendors.selectors import vendors


def register(*, actor: Actor, offer_id: uuid.UUID) -> LateInterest:
    """Note that a vendor still wants the batch of an offer it was too late for; asked again, the note is returned.

    When the batch is ranked anew, the vendor comes first among equals, and is told its place.

    Raises
    ------
    OfferClosedError
        When the offer can still be accepted, was decided by the vendor itself, or the batch has come to its end.
    """
    actor.require("offers:decide")
    vendor = vendors.own(actor)
    with transaction.atomic(durable=True):
        offer = Offer.objects.select_related("batch").filter(pk=offer_id, vendor=vendor).first()
        if offer is None:
            raise NotFoundError("There is no such offer.")
        _refuse(offer)
        interest, is_new = LateInterest.objects.get_or_create(
            offer=offer, defaults={"batch_id": offer.batch_id, "vendor_id": vendor.pk}
        )
        if is_new:
            events.of_batch(offer.batch, "offer.interest", vendor_id=vendor.pk, subject=offer.pk)
        return interest


def _refuse(offer: Offer) -> None:
    was_late = offer.state == OfferState.EXPIRED or offer.reason == LOST_WAVE
    if offer.state == OfferState.LIVE:
        if offer.expires_at > database_now():
            raise OfferClosedError("This offer is live: accept it.", state=offer.state)
    elif not was_late:
        raise OfferClosedError(f"This offer was {offer.state}: interest is for those who came late.", state=offer.state)
    if not BATCH[BatchState(offer.batch.state)]:
        raise OfferClosedError(f"The batch is {offer.batch.state}; it will not come back.", state=offer.batch.state)


def waiting(batches: Iterable[Batch]) -> Mapping[uuid.UUID, frozenset[uuid.UUID]]:
    """Return, by batch, the vendors whose interest has not been considered yet; one query."""
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    rows = LateInterest.objects.filter(batch__in=[batch.pk for batch in batches], considered_at=None)
    for batch_id, vendor_id in rows.values_list("batch_id", "vendor_id"):
        found[batch_id].add(vendor_id)
    return defaultdict(frozenset, {batch_id: frozenset(ids) for batch_id, ids in found.items()})


def consider(run: RankingRun, batches: Iterable[Batch], vendor_ids: frozenset[uuid.UUID]) -> None:
    """Close the interest in batches that have just been ranked, and tell each vendor its place."""
    if not vendor_ids:
        return
    ids = [batch.pk for batch in batches]
    LateInterest.objects.filter(batch__in=ids, vendor__in=vendor_ids, considered_at=None).update(considered_at=Now())
    places = Candidate.objects.filter(run=run, vendor__in=vendor_ids).select_related("run__job")
    for place in places.order_by("vendor_id"):
        facts = {"job": place.run.job.title, "place": place.sequence, "words": place.words}
        about = [{"subject": str(batch_id), "facts": facts} for batch_id in ids]
        outbox.put("vendor.notice", {"vendor": str(place.vendor_id), "kind": "batch.back", "about": about})
