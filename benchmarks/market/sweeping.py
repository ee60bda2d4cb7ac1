"""Expiring and offering on: set statements, beside the ways people usually write it."""

import time
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from benchmarks.market import world
from common.clock import Now
from marketplace.management.commands.sweep import EVERY_S, FULL_SWEEP_S
from marketplace.models import Batch, Candidate, Offer, RoutingEvent
from marketplace.services import offering, sweeper

_HOUR = timedelta(hours=1)


def drain() -> tuple[int, float]:
    """Sweep until nothing is due; return how many offers were made, and the seconds it took."""
    started, made = time.perf_counter(), 0
    while True:
        expired = offering.expire()
        fresh = len(offering.advance())
        made += fresh
        if not expired and not fresh:
            return made, time.perf_counter() - started


def by_set(n_offers: int) -> float:
    """Return offers expired and made anew per second."""
    expired = world.expire_all()
    made, seconds = drain()
    if made < min(expired, n_offers):
        raise RuntimeError(f"{expired} offers expired, only {made} were made anew")
    return made / seconds


def by_orm(n_offers: int, chunk: int) -> float:
    """Return the same by the ORM: a transaction for each chunk of offers, one row after the other within it."""
    world.execute(
        "UPDATE marketplace_offer SET created_at = created_at - interval '2 hours', "
        "expires_at = statement_timestamp() - interval '1 second' "
        "WHERE id IN (SELECT id FROM marketplace_offer WHERE state = 'live' LIMIT %s)",
        n_offers,
    )
    started, done = time.perf_counter(), 0
    while done < n_offers:
        with transaction.atomic():
            due = Offer.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(
                state="live", expires_at__lte=Now()
            )
            for offer in due.select_related("batch")[: min(chunk, n_offers - done)]:
                _hand_on(offer)
                done += 1
    return n_offers / (time.perf_counter() - started)


def _hand_on(offer: Offer) -> None:
    Offer.objects.filter(pk=offer.pk).update(state="expired", decided_at=Now(), reason="no_answer")
    RoutingEvent.objects.create(
        job_id=offer.job_id, batch_id=offer.batch_id, vendor_id=offer.vendor_id, kind="offer.expired", subject=offer.pk
    )
    asked = Offer.objects.filter(batch_id=offer.batch_id, round=offer.round).values("vendor")
    candidate = (
        Candidate.objects.filter(run_id=offer.batch.ranking_id, sequence__isnull=False)
        .exclude(vendor__in=asked)
        .order_by("sequence")
        .first()
    )
    if candidate is None:
        raise RuntimeError("the reference ran out of candidates; give the market more vendors")
    made = Offer.objects.create(
        batch_id=offer.batch_id,
        job_id=offer.job_id,
        lot_id=offer.lot_id,
        chunk=offer.chunk,
        vendor_id=candidate.vendor_id,
        capability_id=candidate.capability_id,
        candidate=candidate,
        round=offer.round,
        sequence=candidate.sequence or 0,
        n_items=offer.n_items,
        price_micro=candidate.price_micro or 0,
        currency=candidate.currency,
        expires_at=Now() + _HOUR,
    )
    Batch.objects.filter(pk=offer.batch_id).update(n_offers=F("n_offers") + 1)
    RoutingEvent.objects.create(
        job_id=offer.job_id, batch_id=offer.batch_id, vendor_id=candidate.vendor_id, kind="offer.made", subject=made.pk
    )


def idle_tick_ms(n_ticks: int = 100) -> float:
    """Return the milliseconds of an idle tick of the sweeper's loop, its full sweeps spread over the ticks."""
    ticks_per_full = FULL_SWEEP_S / EVERY_S
    sweeper.sweep()
    return _milliseconds(sweeper.is_due, n_ticks) + _milliseconds(_full_sweep, n_ticks // 5) / ticks_per_full


def _full_sweep() -> None:
    sweeper.sweep()
    sweeper.dispatch_due(_refuse)


def _refuse(task: str, identifier: object) -> None:
    raise RuntimeError(f"{task} is due for {identifier}: the market is not idle")


def _milliseconds(step: Callable[[], object], n_times: int) -> float:
    started = time.perf_counter()
    for _ in range(n_times):
        step()
    return (time.perf_counter() - started) / n_times * 1e3
