"""The sweeper in plain Python, one row at a time: slow, and short enough to be read (invariant 15)."""

from datetime import datetime

from common.clock import database_now
from marketplace.models import Batch, Candidate, Offer
from vendors.models import CapacityWindow


def expire(now: datetime) -> set[tuple]:
    """Return what closing the offers that are due leads to: offer, state, reason."""
    late = Offer.objects.filter(state="live", expires_at__lte=now).select_related("batch")
    return {
        (offer.pk, "expired", "no_answer") if offer.batch.state == "offering" else (offer.pk, "withdrawn", "lost_wave")
        for offer in late
    }


def advance() -> tuple[set[tuple], dict]:
    """Return the offers that are to be made (batch, vendor, sequence, round, price), and each due batch's state."""
    made: set[tuple] = set()
    states = {}
    due = Batch.objects.filter(state="offering", offer_due_at__lte=database_now(), job__state="open")
    for batch in due.select_related("job").order_by("offer_due_at", "pk"):
        states[batch.pk] = _advance_one(batch, made)
    return made, states


def _advance_one(batch: Batch, made: set[tuple]) -> str:
    live = batch.offers.filter(state="live").count()
    wave = batch.job.wave_size if batch.n_offers > 0 or batch.round > 1 else 1
    wanted = max(0, min(wave - live, batch.job.max_offers - batch.n_offers))
    able = [c for c in Candidate.objects.filter(run_id=batch.ranking_id).order_by("sequence") if _may(c, batch)]
    free = [c for c in able if _is_free(c, batch)][:wanted]
    made |= {(batch.pk, c.vendor_id, c.sequence, batch.round, c.price_micro) for c in free}
    if free or live or (able and wanted):
        return "offering"
    is_last = batch.round >= batch.max_round or batch.n_offers >= batch.job.max_offers
    return "escalated" if is_last else "waiting"


def _may(c: Candidate, batch: Batch) -> bool:
    """Whether a candidate may be asked in this round at all, now or when it is free."""
    window = CapacityWindow.objects.select_related("vendor").get(vendor=c.vendor_id)
    cost = c.price_micro * batch.n_open * (10_000 + batch.job.fee_basis_points) // 10_000 if c.price_micro else 0
    same_chunk = Offer.objects.filter(lot=batch.lot_id, chunk=batch.chunk, vendor=c.vendor_id)
    return (
        c.sequence is not None
        and window.vendor.state in {"probation", "active"}
        and window.is_accepting
        and c.min_batch <= batch.n_open
        and cost <= batch.job.budget_micro - batch.job.committed_micro
        and not batch.offers.filter(round=batch.round, vendor=c.vendor_id).exists()
        and not same_chunk.filter(state="accepted").exists()
    )


def _is_free(c: Candidate, batch: Batch) -> bool:
    window = CapacityWindow.objects.select_related("vendor").get(vendor=c.vendor_id)
    slots = 1 if window.vendor.state == "probation" else window.slots
    same_chunk = Offer.objects.filter(lot=batch.lot_id, chunk=batch.chunk, vendor=c.vendor_id)
    return window.in_flight < slots and not same_chunk.filter(state="live").exists()
