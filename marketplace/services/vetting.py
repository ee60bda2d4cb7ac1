"""Vetting: when all layers of a chunk are in, infer the truth, judge the work, ask again where unsure, close.

A chunk is looked at only when none of its batches is out; verdicts wait for a further layer while the evidence leaves
them open. One vetting at a time per lot (advisory lock); everything it decides commits together.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from django.db import transaction

from common import locks
from common.clock import Now
from marketplace.core.overlap import needs_another
from marketplace.core.states import BatchState, LotState, RecordState
from marketplace.models import Batch, JobRecord, Lot
from marketplace.services import (
    campaigns_wake,
    consensus,
    events,
    evidence,
    lots,
    nudges,
    restrictions,
    routing,
    verdicts,
)
from marketplace.services.evidence import Evidence

_SETTLED = frozenset({BatchState.DELIVERED, BatchState.DONE, BatchState.CANCELLED})


def vet_lot(*, lot_id: uuid.UUID) -> None:
    """Vet what is ready of a lot and close it when all its records are decided.

    Safe to run twice and at once: a second runner leaves at once, and what arrives meanwhile keeps the lot due.
    """
    with transaction.atomic(durable=True):
        if not locks.try_advisory(f"vet:{lot_id}"):
            return
        lot = Lot.objects.select_related("job__label_schema").get(pk=lot_id)
        due_at = lot.vet_due_at
        if lot.state == LotState.OPEN:
            _vet(lot)
        Lot.objects.filter(pk=lot_id, vet_due_at=due_at).update(vet_due_at=None)


def _vet(lot: Lot) -> None:
    ready = _ready_chunks(lot)
    if not ready:
        return
    facts = evidence.of_job(lot.job)
    records: dict[int, list[JobRecord]] = defaultdict(list)
    for record in lot.records.filter(chunk__in=list(ready), state=RecordState.OPEN).order_by("position"):
        records[record.chunk].append(record)
    for chunk, batches in ready.items():
        if records[chunk]:
            _vet_chunk(lot, batches, records[chunk], facts)
    if not lot.records.filter(state=RecordState.OPEN).exists():
        _close(lot)


def _ready_chunks(lot: Lot) -> dict[int, list[Batch]]:
    chunks: dict[int, list[Batch]] = defaultdict(list)
    for batch in lot.batches.order_by("chunk", "layer"):
        chunks[batch.chunk].append(batch)
    return {chunk: rows for chunk, rows in chunks.items() if all(row.state in _SETTLED for row in rows)}


def _vet_chunk(lot: Lot, batches: list[Batch], records: list[JobRecord], facts: Evidence) -> None:
    unsure = _unsure(lot, batches, records, facts)
    returned = verdicts.decide_all(batches, facts, is_final=not unsure)
    if returned:
        return
    if unsure:
        _ask_again(lot, batches, unsure)
        return
    consensus.conclude(batches, records, facts)


def _unsure(lot: Lot, batches: list[Batch], records: list[JobRecord], facts: Evidence) -> list[JobRecord]:
    """Return the records that need another answer and may get one."""
    job = lot.job
    n_layers = len({batch.layer for batch in batches if batch.state != BatchState.CANCELLED})
    if n_layers >= job.max_overlap or any(batch.state == BatchState.CANCELLED for batch in batches):
        return []
    needs = needs_another(
        np.stack([facts.posterior(record.pk) for record in records]),
        [facts.n_answers(record.pk) for record in records],
        target_confidence=job.target_confidence,
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


def _ask_again(lot: Lot, batches: Iterable[Batch], records: list[JobRecord]) -> None:
    """Put the unsure records of a chunk into one more layer, for a vendor that has not seen them."""
    last = max(batches, key=lambda batch: batch.layer)
    (batch,) = lots.make_batches(lot, [lots.Plan(last.chunk, last.layer + 1, records, is_disputed=True)])
    events.of_batch(batch, "overlap.added", subject=batch.pk, layer=batch.layer, n_records=len(records))
    routing.rank_batches(batch_ids=[batch.pk])
    nudges.sweep_soon()


def _close(lot: Lot) -> None:
    Lot.objects.filter(pk=lot.pk, state=LotState.OPEN).update(state=LotState.CLOSED, closed_at=Now())
    counts = {state.value: lot.records.filter(state=state).count() for state in RecordState}
    events.of_lot(lot, "lot.closed", number=lot.number, **counts)
    campaigns_wake.for_lot(lot.pk)
