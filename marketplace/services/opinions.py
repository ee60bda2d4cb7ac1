"""Further opinions on a campaign's decided records, bought where they are worth more for their price than new ones."""

import uuid
from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Count, F, Max

from common.clock import Now
from curation.models import ComputeStage
from curation.services import compute, opinions
from curation.services.opinions import Again, Plan
from marketplace.core.states import BatchState, RecordState
from marketplace.models import Annotation, Batch, Campaign, JobRecord, Lot
from marketplace.services import events, lots, nudges, routing


def plan(campaign: Campaign, n_records: int) -> Plan:
    """Return how a round of ``n_records`` is best spent: new records, and which old ones are asked about again of whom.

    Only labels that people gave and nobody corrected or confirmed are asked about again, up to the job's
    ``max_overlap``; only of vendors that can be asked now, and that take a batch as small as theirs would be.
    """
    job = campaign.job
    able = [facts for facts, row in routing.preview(job, job.batch_size) if row.sequence is not None]
    if not campaign.asks_again or campaign.round < 2 or not able:
        return Plan(n_records)
    prices = {str(facts.vendor_id): (facts.price_micro or 0) / 1e6 for facts in able if facts.price_micro}
    rows = JobRecord.objects.filter(job=job, state=RecordState.LABELED, is_machine=False, corrections=None)
    rows = rows.exclude(reviews__decided_at__isnull=False).filter(annotations__is_current=True)
    keys = rows.annotate(n_answers=Count("annotations")).filter(n_answers__lt=job.max_overlap)
    open_keys = set(keys.values_list("key", flat=True))
    experiment_id = campaign.experiment_id
    with compute.measured(experiment_id=experiment_id, number=campaign.round, stage=ComputeStage.PLAN):
        found = opinions.plan(
            experiment_id=experiment_id,
            n_records=n_records,
            overlap=job.min_overlap,
            prices=prices,
            open_keys=open_keys,
        )
    least = {str(facts.vendor_id): facts.min_batch for facts in able}
    n_asked = {name: sum(one.annotator == name for one in found.again) for name in prices}
    again = tuple(one for one in found.again if n_asked[one.annotator] >= least[one.annotator])
    spared = sum(prices[one.annotator] for one in found.again) - sum(prices[one.annotator] for one in again)
    usual = job.min_overlap * sorted(prices.values())[len(prices) // 2]
    return Plan(min(n_records, found.n_new + int(spared / usual)), again)


def cost_micro(campaign: Campaign, again: Sequence[Again]) -> int:
    """Return what further opinions are expected to cost at the prices asked now, fees and gold included."""
    job = campaign.job
    prices = {str(facts.vendor_id): facts.price_micro or 0 for facts, _ in routing.preview(job, job.batch_size)}
    answers = sum(prices.get(one.annotator, 0) for one in again) * (1 + job.gold_ratio)
    return round(answers * (10_000 + job.fee_basis_points) / 10_000)


def order(lot: Lot, again: Sequence[Again]) -> list[Batch]:
    """Move records into a new lot and put them on offer again, inside the caller's transaction.

    Each goes first to the vendor wanted for it, never to one that has answered it, and out for one round only. They are
    open until the answer is in; a record that is not decided any more is left out.
    """
    wanted = {one.key: uuid.UUID(one.annotator) for one in again}
    rows = JobRecord.objects.select_for_update(of=("self",), no_key=True).filter(
        job_id=lot.job_id, key__in=wanted, state=RecordState.LABELED
    )
    records = list(rows.order_by("pk"))
    answered: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    given = Annotation.objects.filter(record__in=records)
    for record_id, vendor_id in given.values_list("record_id", "vendor_id"):
        if record_id is not None:
            answered[record_id].add(vendor_id)
    plans = _plans(lot, records, wanted, answered)
    if not plans:
        return []
    for plan_ in plans:
        for record in plan_.records:
            record.lot, record.chunk, record.state = lot, plan_.chunk, RecordState.OPEN
    JobRecord.objects.bulk_update(records, ["lot", "chunk", "state"])
    Lot.objects.filter(pk=lot.pk).update(n_records=F("n_records") + len(records))
    batches = lots.make_batches(lot, plans)
    for batch in batches:
        events.of_batch(batch, "opinions.asked", subject=batch.pk, n_records=batch.n_items)
    routing.rank_batches(batch_ids=[batch.pk for batch in batches])
    nudges.sweep_soon()
    return batches


def _plans(
    lot: Lot,
    records: Sequence[JobRecord],
    wanted: dict[str, uuid.UUID],
    answered: dict[uuid.UUID, set[uuid.UUID]],
) -> list[lots.Plan]:
    by_vendor: dict[uuid.UUID, list[JobRecord]] = defaultdict(list)
    for record in records:
        if wanted[record.key] not in answered[record.pk]:
            by_vendor[wanted[record.key]].append(record)
    last = lot.batches.aggregate(n=Max("chunk"))["n"]
    chunk = -1 if last is None else last
    plans = []
    for vendor_id, mine in sorted(by_vendor.items()):
        for start in range(0, len(mine), lot.job.batch_size):
            part = mine[start : start + lot.job.batch_size]
            chunk += 1
            barred = frozenset().union(*(answered[record.pk] for record in part))
            plans.append(lots.Plan(chunk, 0, part, wanted_vendor=vendor_id, barred_vendors=barred))
    return plans


def give_up(lot: Lot) -> int:
    """Do without the further opinions of a lot that nobody takes; return how many batches. The labels stay."""
    stuck = Batch.objects.filter(lot=lot, wanted_vendor__isnull=False, state=BatchState.ESCALATED)
    batches = list(stuck.select_for_update(of=("self",), no_key=True).order_by("pk"))
    for batch in batches:
        events.of_batch(batch, "opinions.not_given", subject=batch.pk, reason=batch.reason)
    Batch.objects.filter(pk__in=[batch.pk for batch in batches]).update(
        state=BatchState.CANCELLED, reason="opinion_not_given", offer_due_at=None
    )
    if batches:
        Lot.objects.filter(pk=lot.pk).update(vet_due_at=Now())
        nudges.vet_soon(lot.pk)
    return len(batches)
