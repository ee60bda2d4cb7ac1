"""A job's quote from the market as it stands: stored with the lot it was made for, and held against what came of it."""

import uuid
from dataclasses import dataclass

import numpy as np
from django.db.models import Sum

from common.actors import Actor
from marketplace.core import kinds
from marketplace.core.quote import VERSION, Bidder, Estimate, Quote, Terms, quote
from marketplace.core.routing import Weights
from marketplace.core.states import LotState
from marketplace.models import Job, JobQuote, Lot, Settlement
from marketplace.selectors import jobs
from marketplace.services import routing
from vendors.selectors.candidates import VendorFacts

_SEED = 20261123
"""Equal jobs in an equal market get equal quotes."""
_MANY_ANSWERS = 1000
"""Answers that are possible where the task type has no classes: two wrong ones are hardly ever the same."""


def of(job: Job, n_records: int, *, has_gold: bool) -> tuple[Quote, int]:
    """Return what to expect of so many records of a job (it need not be stored), and how many vendors can be asked."""
    n_items = min(n_records, job.batch_size)
    priority = Weights(job.weight_cost, job.weight_speed, job.weight_accuracy).priority
    ranked = [facts for facts, row in routing.preview(job, n_items) if row.sequence is not None]
    bidders = [_bidder(facts, priority) for facts in ranked]
    return quote(bidders, _terms(job, n_records, has_gold), np.random.default_rng(_SEED)), len(bidders)


def _terms(job: Job, n_records: int, has_gold: bool) -> Terms:
    schema = job.label_schema
    is_classes = schema.task_type == kinds.CLASSIFICATION
    return Terms(
        n_records=n_records,
        batch_size=job.batch_size,
        n_classes=len(schema.classes) + 1 if is_classes else _MANY_ANSWERS,
        gold_ratio=job.gold_ratio if has_gold else 0.0,
        min_overlap=job.min_overlap,
        max_overlap=job.max_overlap,
        target_confidence=min(max(job.target_confidence, 0.01), 0.999),
        wave_size=job.wave_size,
        max_offers=job.max_offers,
        max_rounds=job.max_rounds,
        round_pause_s=job.round_pause_s,
        fee_basis_points=job.fee_basis_points,
    )


def _bidder(facts: VendorFacts, priority: str) -> Bidder:
    return Bidder(
        price_micro=facts.price_micro or 0,
        window_s=float(facts.accept_window_s.get(priority, 1800)),
        slots=1 if facts.state == "probation" else facts.slots,
        in_flight=facts.in_flight,
        acceptance=facts.acceptance,
        warmth=facts.p_accept / facts.acceptance.mean,
        completion=facts.completion,
        accuracy=facts.accuracy,
        response=facts.response,
        label=facts.label,
        base_s=float(facts.base_s),
        start_window_s=float(facts.start_window_s),
        promised_label_s=facts.seconds_per_label,
    )


def store(lot: Lot, *, has_gold: bool) -> JobQuote:
    """Keep what a lot's customer was told, in the transaction that orders it; asked again, the kept one is returned."""
    kept = JobQuote.objects.filter(lot=lot).first()
    if kept is not None:
        return kept
    told, n_eligible = of(lot.job, lot.n_records, has_gold=has_gold)
    price, eta, accuracy = told.price_micro, told.eta_s, told.accuracy
    return JobQuote.objects.create(
        lot=lot,
        algorithm=VERSION,
        n_eligible=n_eligible,
        fill_ratio=told.fill.probability,
        answers=told.answers,
        **{f"price{part}_micro": value and int(value) for part, value in _parts(price).items()},
        **{f"eta{part}_s": value for part, value in _parts(eta).items()},
        **{f"accuracy{part}": value for part, value in _parts(accuracy).items()},
    )


def _parts(estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return {"_low": None, "": None, "_high": None}
    return {"_low": estimate.low, "": estimate.median, "_high": estimate.high}


@dataclass(frozen=True, slots=True)
class Held:
    """How quotes held: closed lots that had one, and how many ended within their intervals of time and price."""

    n_lots: int
    n_in_time: int
    n_in_price: int


def held(*, actor: Actor, limit: int = 1000) -> Held:
    """Return how the newest quotes of the actor's jobs held, in two queries."""
    actor.require("jobs:read")
    rows = (
        JobQuote.objects.filter(lot__job__in=jobs.for_actor(actor), lot__state=LotState.CLOSED, eta_s__isnull=False)
        .select_related("lot")
        .order_by("-pk")[:limit]
    )
    quotes = list(rows)
    spent = _spent_by_lot([one.lot_id for one in quotes])
    return Held(
        n_lots=len(quotes),
        n_in_time=sum(_is_in_time(one) for one in quotes),
        n_in_price=sum(
            (one.price_low_micro or 0) <= spent.get(one.lot_id, 0) <= (one.price_high_micro or 0) for one in quotes
        ),
    )


def _spent_by_lot(lot_ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = Settlement.objects.filter(assignment__batch__lot__in=lot_ids).values_list("assignment__batch__lot")
    sums = rows.annotate(vendor=Sum("vendor_micro"), fee=Sum("fee_micro")).order_by()
    return {lot: vendor + fee for lot, vendor, fee in sums}


def _is_in_time(one: JobQuote) -> bool:
    if one.lot.closed_at is None or one.eta_low_s is None or one.eta_high_s is None:
        return False
    return one.eta_low_s <= (one.lot.closed_at - one.lot.created_at).total_seconds() <= one.eta_high_s
