"""A vendor's decision on an offer; each offer gets exactly one, whoever races.

Lock order in every transaction here: offer -> batch -> job -> vendor capacity.
"""

import uuid
from dataclasses import dataclass

from django.db import connection, transaction

from common.actors import Actor
from common.clock import Now
from common.errors import NotFoundError, ValidationFailedError
from marketplace.core import pricing
from marketplace.core.states import LOST_WAVE, BatchState, OfferState
from marketplace.errors import (
    BudgetExhaustedError,
    CapacityExhaustedError,
    DailyLimitError,
    OfferClosedError,
    OfferExpiredError,
    OfferTakenError,
    VendorNotAdmittedError,
)
from marketplace.models import Assignment, Batch, Offer
from marketplace.services import assignments, events, nudges, splits, withdrawals
from vendors.core.states import MAY_RECEIVE_OFFERS
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


_TAKE = """
UPDATE marketplace_offer o SET state = 'accepted', decided_at = statement_timestamp(), reason = 'accepted'
FROM marketplace_job j, marketplace_batch b, vendors_vendor v, vendors_capability k
WHERE o.id = %(offer)s AND o.vendor_id = %(vendor)s AND o.state = 'live' AND o.expires_at > statement_timestamp()
  AND j.id = o.job_id AND b.id = o.batch_id AND v.id = o.vendor_id AND k.id = o.capability_id
RETURNING o.id, o.batch_id, o.job_id, o.vendor_id, o.capability_id, o.n_items, o.price_micro,
          extract(epoch FROM statement_timestamp() - o.created_at)::float8,
          j.fee_basis_points, j.wave_size, j.is_splittable, v.state,
          k.status = 'active' AND coalesce(least(k.qualified_until, k.evidence_until) > statement_timestamp(), true),
          coalesce(b.hard_ratio, 0) >= 0.5
"""
_CLAIM = """
WITH batch AS (
    UPDATE marketplace_batch SET state = 'assigned', offer_due_at = NULL
    WHERE id = %(batch)s AND state = 'offering' RETURNING job_id
), job AS (
    UPDATE marketplace_job j SET committed_micro = j.committed_micro + %(cost)s FROM batch
    WHERE j.id = batch.job_id AND j.state = 'open' AND j.committed_micro <= j.budget_micro - %(cost)s RETURNING j.id
)
SELECT (SELECT count(*) FROM batch), (SELECT count(*) FROM job)
"""


@dataclass(frozen=True, slots=True)
class _Taken:
    """An offer just closed by its vendor, with what the rest of the accept needs to know; columns of ``_TAKE``."""

    offer_id: uuid.UUID
    batch_id: uuid.UUID
    job_id: uuid.UUID
    vendor_id: uuid.UUID
    capability_id: uuid.UUID
    n_items: int
    price_micro: int
    waited_s: float
    fee_basis_points: int
    wave_size: int
    is_splittable: bool
    vendor_state: str
    is_capable: bool
    is_hard: bool


def _accept(offer_id: uuid.UUID, vendor_id: uuid.UUID, n_records: int | None) -> Assignment:
    taken = _take(offer_id, vendor_id)
    if taken is None:
        return _already_decided(_own_offer(offer_id, vendor_id))
    if taken.vendor_state not in MAY_RECEIVE_OFFERS or not taken.is_capable:
        raise VendorNotAdmittedError(state=taken.vendor_state)
    n_taken = _part(taken, n_records)
    cost = _claim(taken, n_taken)
    if taken.wave_size > 1:
        withdrawals.siblings_of(taken.batch_id)
    if n_taken < taken.n_items:
        splits.cut_off_rest(Batch.objects.get(pk=taken.batch_id), n_taken)
    _reserve(vendor_id, n_taken)
    assignment = assignments.open_for(offer_id=offer_id, vendor_id=vendor_id, n_items=n_taken, reserved_micro=cost)
    posteriors.record_response(capability_id=taken.capability_id, accepted=True, seconds=taken.waited_s)
    if taken.is_hard:
        posteriors.record_hard_responses(accepted=[taken.capability_id])
    return assignment


def _take(offer_id: uuid.UUID, vendor_id: uuid.UUID) -> _Taken | None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"offer": offer_id, "vendor": vendor_id})
        row = cursor.fetchone()
    return None if row is None else _Taken(*row)


def _claim(taken: _Taken, n_records: int) -> int:
    """Take the batch and commit the job's budget; return the cost, micro-units."""
    cost = pricing.cost_micro(n_records, taken.price_micro, taken.fee_basis_points)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"batch": taken.batch_id, "cost": cost})
        has_batch, has_budget = cursor.fetchone()
    if not has_batch:
        raise OfferTakenError
    if not has_budget:
        raise BudgetExhaustedError
    return cost


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


def _part(offer: _Taken, n_records: int | None) -> int:
    """Return how many records are taken: all, or a part that leaves both sides a batch worth having."""
    if n_records is None or n_records == offer.n_items:
        return offer.n_items
    if not offer.is_splittable:
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
        posteriors.record_response(capability_id=offer.capability_id, accepted=False, seconds=_answered_in(offer))
        if offer.batch.is_hard:
            posteriors.record_hard_responses(missed=[offer.capability_id])
        events.of_batch(offer.batch, "offer.declined", vendor_id=vendor.pk, subject=offer.pk, reason=reason)
    nudges.sweep_soon()
    return offer


def _hand_on(offer: Offer) -> None:
    Batch.objects.filter(pk=offer.batch_id, state=BatchState.OFFERING).update(offer_due_at=Now())


def _answered_in(offer: Offer) -> float:
    """Return the seconds from offer to answer."""
    if offer.decided_at is None:
        raise ValueError(f"{offer} is not decided")
    return (offer.decided_at - offer.created_at).total_seconds()
