"""A vendor's decision on an offer; each offer gets exactly one, whoever races.

Lock order in every transaction here: offer -> batch -> job -> vendor capacity.
"""

import uuid

from django.db import transaction
from django.db.models import F, Q

from common.actors import Actor
from common.clock import Now, database_now
from common.errors import NotFoundError, ValidationFailedError
from marketplace.core import pricing
from marketplace.core.states import LOST_WAVE, BatchState, JobState, OfferState
from marketplace.errors import (
    BudgetExhaustedError,
    CapacityExhaustedError,
    DailyLimitError,
    OfferClosedError,
    OfferExpiredError,
    OfferTakenError,
    VendorNotAdmittedError,
)
from marketplace.models import Assignment, Batch, Job, Offer
from marketplace.services import assignments, events, nudges, splits, withdrawals
from vendors.core.states import MAY_RECEIVE_OFFERS
from vendors.models import Capability, DurationPosterior
from vendors.selectors import agreements, vendors
from vendors.services import capacity, posteriors

DECLINE_REASONS = ("no_capacity", "price_too_low", "too_short", "out_of_skill", "other")


def accept(*, actor: Actor, offer_id: uuid.UUID, n_records: int | None = None) -> Assignment:
    """Accept an offer, or ``n_records`` of it: one transaction takes the batch, the budget and a slot, and assigns it.

    Asked again after success, the same assignment is returned. The deadline is compared with the database's clock
    in the closing statement itself, so a late accept fails even when no sweeper ever ran. What a vendor leaves of a
    batch goes to the next candidate at once.

    Raises
    ------
    ValidationFailedError
        When a part is asked for that the job or the vendor's minimum batch does not allow; the offer stays live.
    OfferExpiredError, OfferTakenError, OfferClosedError
        When the time is up, another vendor of the wave was faster, or the offer was decided otherwise.
    VendorNotAdmittedError, CapacityExhaustedError, DailyLimitError
        When the vendor may not work now, or its slots or its day are full; the offer stays live.
    BudgetExhaustedError
        When the job's budget no longer covers the batch; the offer is withdrawn.
    """
    actor.require("offers:decide")
    vendor = vendors.own(actor)
    try:
        with transaction.atomic(durable=True):
            return _accept(offer_id, vendor.pk, n_records)
    except BudgetExhaustedError:
        withdrawals.one(offer_id, "budget_exhausted")
        raise
    except OfferTakenError:
        # The winner skipped this offer because we held it; it has lost all the same, and must not expire as silence.
        withdrawals.one(offer_id, LOST_WAVE)
        raise


def _accept(offer_id: uuid.UUID, vendor_id: uuid.UUID, n_records: int | None) -> Assignment:
    taken = Offer.objects.filter(pk=offer_id, vendor_id=vendor_id, state=OfferState.LIVE, expires_at__gt=Now()).update(
        state=OfferState.ACCEPTED, decided_at=Now(), reason="accepted"
    )
    offer = _own_offer(offer_id, vendor_id)
    if not taken:
        return _already_decided(offer)
    _admit(offer)
    n_taken = _part(offer, n_records)
    batch_taken = Batch.objects.filter(pk=offer.batch_id, state=BatchState.OFFERING).update(
        state=BatchState.ASSIGNED, offer_due_at=None
    )
    if not batch_taken:
        raise OfferTakenError
    if offer.job.wave_size > 1:
        withdrawals.siblings_of(offer.batch_id)
    if n_taken < offer.n_items:
        splits.cut_off_rest(offer.batch, n_taken)
    cost = _commit_budget(offer, n_taken)
    _reserve(vendor_id, n_taken)
    assignment = assignments.open_for(offer=offer, n_items=n_taken, reserved_micro=cost)
    _teach(offer, accepted=True)
    events.of_batch(offer.batch, "offer.accepted", vendor_id=vendor_id, subject=offer.pk, assignment=str(assignment.pk))
    return assignment


def _own_offer(offer_id: uuid.UUID, vendor_id: uuid.UUID) -> Offer:
    offer = (
        Offer.objects.select_related("batch", "vendor", "job", "assignment")
        .filter(pk=offer_id, vendor_id=vendor_id)
        .first()
    )
    if offer is None:
        raise NotFoundError("There is no such offer.")
    return offer


def _already_decided(offer: Offer) -> Assignment:
    if offer.state == OfferState.ACCEPTED:
        return offer.assignment
    if offer.state in {OfferState.EXPIRED, OfferState.LIVE}:
        raise OfferExpiredError(expired_at=offer.expires_at.isoformat())
    if offer.reason == LOST_WAVE:
        raise OfferTakenError
    raise OfferClosedError(f"This offer was {offer.state}.", state=offer.state)


def _admit(offer: Offer) -> None:
    holds = Q(qualified_until=None) | Q(qualified_until__gt=Now()), Q(evidence_until=None) | Q(evidence_until__gt=Now())
    active = Capability.objects.filter(*holds, pk=offer.capability_id, status=Capability.Status.ACTIVE).exists()
    if offer.vendor.state not in MAY_RECEIVE_OFFERS or not active:
        raise VendorNotAdmittedError(state=offer.vendor.state)


def _part(offer: Offer, n_records: int | None) -> int:
    """Return how many records are taken: all, or a part that leaves both sides a batch worth having."""
    if n_records is None or n_records == offer.n_items:
        return offer.n_items
    if not offer.job.is_splittable:
        detail = f"The customer wants this batch done by one vendor: take all {offer.n_items} records or decline."
        raise ValidationFailedError.of("n_records", "not_splittable", detail)
    least = agreements.in_force([offer.vendor_id]).get(offer.vendor_id)
    low = least.min_batch if least else 1
    high = offer.n_items - low
    if not low <= n_records <= high:
        if low > high:
            detail = f"Your minimum is {low} records; a batch of {offer.n_items} cannot be split: take all or decline."
        else:
            detail = f"Take {low} to {high} records, or all {offer.n_items}: a part is never below your minimum batch."
        raise ValidationFailedError.of("n_records", "out_of_range", detail)
    return n_records


def _commit_budget(offer: Offer, n_items: int) -> int:
    cost = pricing.cost_micro(n_items, offer.price_micro, offer.job.fee_basis_points)
    paid = Job.objects.filter(
        pk=offer.job_id, state=JobState.OPEN, committed_micro__lte=F("budget_micro") - cost
    ).update(committed_micro=F("committed_micro") + cost)
    if not paid:
        raise BudgetExhaustedError
    return cost


def _reserve(vendor_id: uuid.UUID, n_records: int) -> None:
    if capacity.reserve(vendor_id=vendor_id, n_records=n_records):
        return
    left = capacity.left_today(vendor_id=vendor_id)
    if left is not None and left < n_records:
        raise DailyLimitError(f"Your limit leaves {left} records today; the batch has {n_records}.", left=left)
    raise CapacityExhaustedError


def decline(*, actor: Actor, offer_id: uuid.UUID, reason: str) -> Offer:
    """Decline an offer with a reason; the batch goes to the next candidate at once.

    Asked again, the declined offer is returned. A decline weighs half of a silent expiry in the vendor's record.

    Raises
    ------
    OfferExpiredError, OfferClosedError
        When the time is up, or the offer was decided otherwise.
    """
    actor.require("offers:decide")
    vendor = vendors.own(actor)
    with transaction.atomic(durable=True):
        done = Offer.objects.filter(
            pk=offer_id, vendor_id=vendor.pk, state=OfferState.LIVE, expires_at__gt=Now()
        ).update(state=OfferState.DECLINED, decided_at=Now(), reason=reason)
        offer = _own_offer(offer_id, vendor.pk)
        if not done:
            if offer.state == OfferState.DECLINED:
                return offer
            if offer.state == OfferState.ACCEPTED:
                raise OfferClosedError("You accepted this offer; release the assignment instead.")
            _already_decided(offer)
        _hand_on(offer)
        _teach(offer, accepted=False)
        events.of_batch(offer.batch, "offer.declined", vendor_id=vendor.pk, subject=offer.pk, reason=reason)
    nudges.sweep_soon()
    return offer


def _hand_on(offer: Offer) -> None:
    Batch.objects.filter(pk=offer.batch_id, state=BatchState.OFFERING).update(offer_due_at=Now())


def _teach(offer: Offer, *, accepted: bool) -> None:
    posteriors.record_acceptance(capability_id=offer.capability_id, accepted=accepted)
    waited = (database_now() - offer.created_at).total_seconds()
    posteriors.record_duration(
        capability_id=offer.capability_id, metric=DurationPosterior.Metric.RESPONSE, seconds=waited
    )
