"""Ranking as a stored fact: who may be offered a batch, in which order, and why."""

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F

from common.clock import Now
from marketplace.core import feasibility, routing
from marketplace.core.states import BatchState, OfferState
from marketplace.models import Batch, Candidate, Job, RankingRun
from marketplace.services import events, interests, restrictions
from vendors.selectors import candidates
from vendors.selectors.candidates import VendorFacts


def _facts_for(job: Job) -> list[VendorFacts]:
    return candidates.of_kind(
        task_type=job.label_schema.task_type,
        modality=job.modality,
        language=job.language,
        domain=job.domain,
        data_class=job.data_class,
        customer_id=job.organization_id,
    )


def obstacles(job: Job, n_records: int) -> list[feasibility.Obstacle]:
    """Return which of the job's limits keep every available vendor out of a batch of this size."""
    denied = _denied(job)
    chosen = [f for f in _facts_for(job) if not job.is_manual or f.vendor_id in job.pinned_vendors]
    limits = routing.Limits(job.max_price_micro, job.min_accuracy, job.currency)
    return feasibility.obstacles([_as_candidate(f, denied) for f in chosen], limits, n_records)


def preview(
    job: Job,
    n_records: int,
    eager: frozenset[uuid.UUID] = frozenset(),
    hard_ratio: float = 0.0,
    *,
    is_explored: bool = False,
    wanted: uuid.UUID | None = None,
    barred: Collection[uuid.UUID] = (),
) -> list[tuple[VendorFacts, routing.Ranked]]:
    """Return the ranking a batch of this size would get now, best first, without storing it.

    ``hard_ratio`` is the share of hard records: so much their record on hard ones counts.
    An explored batch goes to a newcomer first, one for a ``wanted`` vendor to that one; who is ``barred`` has answered
    records of the batch before. Among equals, vendors ``eager`` for it (late interest) come first, then
    those not offered anything for longest.
    """
    facts = sorted(_least_recently_offered_first(_facts_for(job)), key=lambda f: f.vendor_id not in eager)
    denied = dict.fromkeys(barred, "The vendor has answered records of this batch before.") | _denied(job)
    ranked = routing.rank(
        [_as_candidate(f, denied, hard_ratio) for f in facts],
        weights=_weights(job),
        reference=routing.REFERENCES[job.label_schema.task_type],
        limits=routing.Limits(job.max_price_micro, job.min_accuracy, job.currency),
        n_records=n_records,
        pinned=job.pinned_vendors,
        manual_only=job.is_manual,
        newcomers={f.vendor_id for f in facts if f.is_newcomer} if is_explored else (),
        wanted=wanted,
    )
    by_vendor = {f.vendor_id: f for f in facts}
    return [(by_vendor[row.vendor_id], row) for row in ranked]


def _least_recently_offered_first(facts: list[VendorFacts]) -> list[VendorFacts]:
    if not facts:
        return facts
    with connection.cursor() as cursor:
        # One probe of the (vendor, state, id) index for each state; ids are time-ordered.
        cursor.execute(
            "SELECT v.id, (SELECT o.id FROM unnest(%s::text[]) AS s(state) CROSS JOIN LATERAL ("
            "SELECT id FROM marketplace_offer WHERE vendor_id = v.id AND state = s.state ORDER BY id DESC LIMIT 1) o "
            "ORDER BY o.id DESC LIMIT 1) FROM unnest(%s::uuid[]) AS v(id)",
            [[state.value for state in OfferState], [f.vendor_id for f in facts]],
        )
        latest = {row[0]: row[1].int if row[1] else 0 for row in cursor.fetchall()}
    return sorted(facts, key=lambda f: (latest[f.vendor_id], f.vendor_id))


def _denied(job: Job) -> dict[uuid.UUID, str]:
    """Return the vendors that may not work on a job, with the reason."""
    blocked = dict.fromkeys(job.denied_vendors, "The customer has blocked this vendor.")
    paused = {key: f"Paused on this job by a rule. {why}" for key, why in restrictions.paused_vendors(job).items()}
    return paused | blocked


def _as_candidate(facts: VendorFacts, denied: dict[uuid.UUID, str], hard_ratio: float = 0.0) -> routing.CandidateFacts:
    exclusion = denied.get(facts.vendor_id, facts.exclusion)
    accuracy = (1 - hard_ratio) * facts.accuracy.mean + hard_ratio * facts.accuracy_hard.mean
    return routing.CandidateFacts(
        vendor_id=facts.vendor_id,
        exclusion=exclusion,
        price_micro=facts.price_micro,
        currency=facts.currency,
        min_batch=facts.min_batch,
        accuracy_mean=accuracy,
        accuracy_low=min(facts.accuracy.lower(), accuracy),
        p_accept=(1 - hard_ratio) * facts.p_accept + hard_ratio * facts.p_accept_hard,
        p_complete=facts.p_complete,
        response_s=facts.response_s,
        label_s=facts.label_s,
        base_s=facts.base_s,
        start_window_s=facts.start_window_s,
        load=facts.in_flight / max(facts.slots, 1),
    )


class _Like(NamedTuple):
    """What batches have in common that share a ranking."""

    job_id: uuid.UUID
    n_open: int
    eager: frozenset[uuid.UUID]
    hard_ratio: float
    is_explored: bool
    wanted: uuid.UUID | None
    barred: frozenset[uuid.UUID]


def rank_batches(*, batch_ids: Iterable[uuid.UUID]) -> int:
    """Rank and put on offer the given batches that are drafts or waiting; return how many.

    One stored ranking serves all batches of a job that are alike (:class:`_Like`). Locks the batches (others are
    skipped); a batch without any eligible candidate is escalated to its customer. Safe to run twice.
    """
    with transaction.atomic():
        batches = list(
            Batch.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("job__label_schema")
            .filter(pk__in=list(batch_ids), state__in=[BatchState.DRAFT, BatchState.WAITING])
            .order_by("pk")
        )
        interested = interests.waiting(batches)
        groups: dict[_Like, list[Batch]] = defaultdict(list)
        for batch in batches:
            is_explored = routing.is_explored(_weights(batch.job), batch.job.data_class, batch.pk.int)
            like = _Like(
                batch.job_id,
                batch.n_open,
                interested[batch.pk],
                batch.hard_ratio or 0.0,
                is_explored,
                batch.wanted_vendor_id,
                frozenset(batch.barred_vendors),
            )
            groups[like].append(batch)
        for (_, n_records, eager, hard_ratio, is_explored, wanted, barred), members in groups.items():
            rows = preview(
                members[0].job, n_records, eager, hard_ratio, is_explored=is_explored, wanted=wanted, barred=barred
            )
            run = _store(members[0].job, rows)
            _offer_by(run, members)
            interests.consider(run, members, eager)
    return len(batches)


def _weights(job: Job) -> routing.Weights:
    return routing.Weights(job.weight_cost, job.weight_speed, job.weight_accuracy)


def _store(job: Job, rows: list[tuple[VendorFacts, routing.Ranked]]) -> RankingRun:
    inputs = json.dumps([asdict(facts) for facts, _ in rows], default=str, sort_keys=True)
    run = RankingRun.objects.create(
        job=job,
        algorithm=routing.VERSION,
        inputs_hash=hashlib.sha256(inputs.encode()).hexdigest(),
        n_eligible=sum(row.sequence is not None for _, row in rows),
    )
    priority = _weights(job).priority
    Candidate.objects.bulk_create(
        Candidate(
            run=run,
            vendor_id=row.vendor_id,
            capability_id=facts.capability_id,
            sequence=row.sequence,
            is_pinned=row.is_pinned,
            index=row.index,
            parts=row.parts,
            words=row.words,
            price_micro=facts.price_micro,
            currency=facts.currency,
            accept_window_s=facts.accept_window_s.get(priority),
            min_batch=facts.min_batch,
        )
        for facts, row in rows
    )
    return run


def _offer_by(run: RankingRun, batches: list[Batch]) -> None:
    state = BatchState.OFFERING if run.n_eligible else BatchState.ESCALATED
    Batch.objects.filter(pk__in=[batch.pk for batch in batches]).update(
        ranking=run,
        state=state,
        round=F("round") + 1,
        reason="" if run.n_eligible else "no_candidate",
        offer_due_at=Now() if run.n_eligible else None,
    )
    events.of_batches(batches, f"batch.{state}", run=str(run.pk), n_eligible=run.n_eligible)
