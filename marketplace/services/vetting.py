"""Vetting: when all layers of a chunk are in, infer the truth, judge the work, ask again where unsure, close.

A chunk is looked at only when none of its batches is out; verdicts wait for a further layer while the evidence leaves
them open. One vetting at a time per lot (advisory lock); everything it decides commits together.
"""

import uuid
from collections import defaultdict

import numpy as np
from django.db import transaction

from common import locks
from common.clock import Now
from marketplace.core.overlap import needs_another
from marketplace.core.states import BatchState, CampaignState, JobState, LotState, RecordState
from marketplace.models import Batch, Campaign, JobRecord, Lot
from marketplace.services import (
    campaigns_wake,
    consensus,
    events,
    evidence,
    first_pass,
    lots,
    nudges,
    restrictions,
    routing,
    verdicts,
)
from marketplace.services.evidence import Evidence

AT_ONCE = 25
"""Chunks vetted in one transaction: its locks are held for about a second."""
_SETTLED = frozenset({BatchState.DELIVERED, BatchState.DONE, BatchState.CANCELLED})


def vet_lot(*, lot_id: uuid.UUID) -> None:
    """Vet what is ready of a lot, some chunks in a transaction, and close it when all its records are decided.

    Safe to run twice and at once: a second runner leaves at once, and what arrives meanwhile keeps the lot due. Killed
    between two transactions, it leaves the lot due for what is left.
    """
    seen: set[int] = set()
    while chunks := _vet_some(lot_id, seen):
        seen |= chunks


def _vet_some(lot_id: uuid.UUID, seen: set[int]) -> set[int]:
    """Vet the next chunks that are ready; return them, none when it was the end."""
    with transaction.atomic(durable=True):
        if not locks.try_advisory(f"vet:{lot_id}"):
            return set()
        lot = Lot.objects.select_related("job__label_schema").get(pk=lot_id)
        ready = _ready_chunks(lot, seen) if lot.state == LotState.OPEN else {}
        if ready:
            _vet_chunks(lot, ready)
        if lot.state == LotState.OPEN and not lot.records.filter(state=RecordState.OPEN).exists():
            _close(lot)
        if len(ready) < AT_ONCE:
            Lot.objects.filter(pk=lot_id, vet_due_at=lot.vet_due_at).update(vet_due_at=None)
            return set()
        return set(ready)


def _vet_chunks(lot: Lot, ready: dict[int, list[Batch]]) -> None:
    records: dict[int, list[JobRecord]] = defaultdict(list)
    for record in lot.records.filter(chunk__in=list(ready), state=RecordState.OPEN).order_by("position"):
        records[record.chunk].append(record)
    batches = [batch for rows in ready.values() for batch in rows]
    facts = evidence.of_chunks(lot.job, batches, [record.pk for rows in records.values() for record in rows])
    target = _target(lot)
    plans = [_vet_chunk(lot, rows, records[chunk], facts, target) for chunk, rows in ready.items()]
    _ask_again(lot, [plan for plan in plans if plan is not None])
    first_pass.look_after(lot.job)


def _ready_chunks(lot: Lot, seen: set[int]) -> dict[int, list[Batch]]:
    """Return the batches of the next chunks that have undecided records and none of their batches out."""
    undecided = lot.records.filter(state=RecordState.OPEN).values("chunk")
    out = lot.batches.exclude(state__in=_SETTLED).values("chunk")
    chunks: dict[int, list[Batch]] = defaultdict(list)
    rows = lot.batches.filter(chunk__in=undecided).exclude(chunk__in=out).exclude(chunk__in=seen)
    for batch in rows.order_by("chunk", "layer"):
        if batch.chunk not in chunks and len(chunks) == AT_ONCE:
            break
        chunks[batch.chunk].append(batch)
    return dict(chunks)


def _target(lot: Lot) -> float | None:
    """Return the confidence that further answers are asked for; None where a campaign decides on those by itself."""
    is_left = Campaign.objects.filter(job=lot.job_id, asks_again=True, state=CampaignState.RUNNING).exists()
    return None if is_left else lot.job.target_confidence


def _vet_chunk(
    lot: Lot, batches: list[Batch], records: list[JobRecord], facts: Evidence, target: float | None
) -> lots.Plan | None:
    """Judge and conclude a chunk; return one more layer of its unsure records where they need another answer."""
    unsure = _unsure(lot, batches, records, facts, target)
    returned = verdicts.decide_all(batches, facts, is_final=not unsure)
    if returned:
        return None
    if unsure:
        last = max(batches, key=lambda batch: batch.layer)
        return lots.Plan(last.chunk, last.layer + 1, unsure, is_disputed=True)
    consensus.conclude(batches, records, facts)
    return None


def _unsure(
    lot: Lot, batches: list[Batch], records: list[JobRecord], facts: Evidence, target: float | None
) -> list[JobRecord]:
    """Return the records that need another answer and may get one."""
    job = lot.job
    is_further = any(batch.wanted_vendor_id is not None for batch in batches)
    if job.state == JobState.CANCELLED or is_further:
        return []  # nobody would be asked any more, or the campaign decides next round: what is there decides
    n_layers = len({batch.layer for batch in batches if batch.state != BatchState.CANCELLED})
    if n_layers >= job.max_overlap or any(batch.state == BatchState.CANCELLED for batch in batches):
        return []
    n_answers = np.array([facts.n_answers(record.pk) for record in records])
    if target is None:
        needs = n_answers < job.min_overlap
    else:
        needs = needs_another(
            np.stack([facts.posterior(record.pk) for record in records]),
            n_answers,
            target_confidence=target,
            min_answers=job.min_overlap,
            max_answers=job.max_overlap,
            has_proven_answer=[facts.has_proven_answer(record.pk) for record in records],
        )
    demanded = restrictions.wants_another(job, records)
    return [
        record
        for record, needed in zip(records, needs, strict=True)
        if needed or (record.pk in demanded and facts.n_answers(record.pk) <= job.min_overlap)
    ]


def _ask_again(lot: Lot, plans: list[lots.Plan]) -> None:
    """Offer the unsure records of each chunk as one more layer, to vendors that have not seen them."""
    if not plans:
        return
    batches = lots.make_batches(lot, plans)
    for batch, plan in zip(batches, plans, strict=True):
        events.of_batch(batch, "overlap.added", subject=batch.pk, layer=batch.layer, n_records=len(plan.records))
    routing.rank_batches(batch_ids=[batch.pk for batch in batches])
    nudges.sweep_soon()


def _close(lot: Lot) -> None:
    Lot.objects.filter(pk=lot.pk, state=LotState.OPEN).update(state=LotState.CLOSED, closed_at=Now())
    counts = {state.value: lot.records.filter(state=state).count() for state in RecordState}
    events.of_lot(lot, "lot.closed", number=lot.number, **counts)
    campaigns_wake.for_lot(lot.pk)
