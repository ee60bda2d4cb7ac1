"""Records ordered together, cut into batches: each chunk of records goes out in as many layers as the overlap asks."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Max

from common.clock import Now
from common.errors import ValidationFailedError
from marketplace.core import cutting, pricing
from marketplace.core.states import RecordState
from marketplace.models import Batch, BatchItem, GoldRecord, Job, JobRecord, Lot
from marketplace.services import events, first_pass, nudges, readings, routing

MAX_RECORDS = 100_000
_ROWS_PER_INSERT = 5000


@dataclass(frozen=True, slots=True)
class RecordInput:
    """A record to label: the customer's key, where the customer keeps it, and what may be shown beside it.

    ``difficulty`` from 0 (trivial) to 1, None where nobody knows: hard records go out together.
    """

    key: str
    uri: str = ""
    metadata: dict[str, object] = field(default_factory=dict)
    difficulty: float | None = None


def add_to_locked(job: Job, records: Sequence[RecordInput]) -> Lot:
    """Add a lot to a job inside the caller's transaction and put its batches on offer.

    Records whose pre-label may stand without a person (:mod:`marketplace.services.first_pass`) are in no batch.

    Raises
    ------
    ValidationFailedError
        When there are no records or too many, or a key is repeated here or already in the job.
    """
    _check(job, records)
    number = (Lot.objects.filter(job=job).aggregate(n=Max("number"))["n"] or 0) + 1
    standing = first_pass.take(job, [(record.key, record.metadata) for record in records])
    lot = Lot.objects.create(job=job, number=number, n_records=len(records))
    rows = [_row(lot, i, record, standing.get(record.key)) for i, record in enumerate(records)]
    of_people = [row for row in rows if not row.is_machine]
    chunks = cutting.cut([row.difficulty for row in of_people], job.batch_size)
    for chunk, positions in enumerate(chunks):
        for position in positions:
            of_people[position].chunk = chunk
    JobRecord.objects.bulk_create(rows, batch_size=_ROWS_PER_INSERT)
    plans = [
        Plan(chunk, layer, [of_people[position] for position in positions])
        for chunk, positions in enumerate(chunks)
        for layer in range(job.min_overlap)
    ]
    batches = make_batches(lot, plans)
    if not batches:
        Lot.objects.filter(pk=lot.pk).update(vet_due_at=Now())
    facts = {"n_records": len(rows), "n_batches": len(batches), "n_machine": len(standing)}
    events.of_lot(lot, "lot.opened", number=number, **facts)
    routing.rank_batches(batch_ids=[batch.pk for batch in batches])
    nudges.sweep_soon()
    return lot


def _row(lot: Lot, position: int, record: RecordInput, standing: first_pass.Standing | None) -> JobRecord:
    """Return a record as it is stored: open, or with the model's label that stands without a person."""
    row = JobRecord(
        job_id=lot.job_id,
        lot=lot,
        chunk=0,
        position=position,
        key=record.key,
        uri=record.uri,
        metadata=record.metadata,
        difficulty=record.difficulty,
    )
    if standing is not None:
        is_cannot = standing.reading.label == readings.CANNOT_LABEL
        row.is_machine, row.confidence = True, standing.confidence
        row.state = RecordState.UNLABELABLE if is_cannot else RecordState.LABELED
        row.label = None if is_cannot or standing.reading.value is not None else standing.reading.label
        row.value, row.reason = standing.reading.value, "other" if is_cannot else ""
    return row


def _check(job: Job, records: Sequence[RecordInput]) -> None:
    if not 0 < len(records) <= MAX_RECORDS:
        detail = f"A lot holds 1 to {MAX_RECORDS} records, got {len(records)}."
        raise ValidationFailedError.of("records", "count", detail)
    first: dict[str, int] = {}
    for position, record in enumerate(records):
        if record.difficulty is not None and not 0 <= record.difficulty <= 1:
            detail = f"Give a number from 0 to 1, or leave it out; got {record.difficulty}."
            raise ValidationFailedError.of(f"records[{position}].difficulty", "out_of_range", detail)
        readings.check_record(job.label_schema, record.metadata, f"records[{position}]")
        if first.setdefault(record.key, position) != position:
            detail = f"The key {record.key!r} stands at {first[record.key]} and {position}."
            raise ValidationFailedError.of(f"records[{position}].key", "duplicate_key", detail)
    taken = JobRecord.objects.filter(job=job, key__in=list(first)).values_list("key", flat=True).first()
    if taken is not None:
        detail = f"The key {taken!r} is already in this job."
        raise ValidationFailedError.of(f"records[{first[taken]}].key", "duplicate_key", detail)


def budget_left_micro(job: Job) -> int:
    """Return what may still be committed, micro-units: read anew, as vetting goes on while campaigns wait."""
    budget, committed = Job.objects.values_list("budget_micro", "committed_micro").get(pk=job.pk)
    return budget - committed


def expected_cost_micro(job: Job, n_records: int) -> int | None:
    """Return what a lot of so many records will cost at least, micro-units, fees and gold included.

    The first choices of the ranking, one for each layer, at their prices now; None when nobody is eligible.
    """
    n_items = min(n_records, job.batch_size)
    prices = [f.price_micro for f, row in routing.preview(job, n_items) if row.sequence is not None and f.price_micro]
    if not prices:
        return None
    n_answers = round(n_records * (1 + job.gold_ratio))
    layers = [prices[min(layer, len(prices) - 1)] for layer in range(job.min_overlap)]
    return sum(pricing.cost_micro(n_answers, price, job.fee_basis_points) for price in layers)


@dataclass(frozen=True, slots=True)
class Plan:
    """One layer of a chunk: the records that go out together, and whether all of them have proven hard by dispute.

    A further opinion on records decided before names the vendor wanted, and those who have answered them.
    """

    chunk: int
    layer: int
    records: Sequence[JobRecord]
    is_disputed: bool = False
    wanted_vendor: uuid.UUID | None = None
    barred_vendors: frozenset[uuid.UUID] = frozenset()

    @property
    def hard_ratio(self) -> float | None:
        """The share of hard records, or None where nothing is known."""
        return 1.0 if self.is_disputed else cutting.hard_ratio([record.difficulty for record in self.records])


def make_batches(lot: Lot, plans: Sequence[Plan]) -> list[Batch]:
    """Make batches, each with its records in an order of its own and gold mixed in unseen; three queries in all.

    The order and the gold are drawn from the lot's id, chunk and layer, so that a retry draws the same.
    """
    gold = list(GoldRecord.objects.filter(job_id=lot.job_id).order_by("pk").values_list("pk", flat=True))
    batches, items = [], []
    for plan in plans:
        entries = _entries(lot, plan, gold)
        batch = Batch(
            job_id=lot.job_id,
            lot=lot,
            chunk=plan.chunk,
            layer=plan.layer,
            hard_ratio=plan.hard_ratio,
            wanted_vendor_id=plan.wanted_vendor,
            barred_vendors=sorted(plan.barred_vendors),
            n_items=len(entries),
            n_open=len(entries),
            max_round=1 if plan.wanted_vendor else lot.job.max_rounds,
        )
        batches.append(batch)
        items += [
            BatchItem(batch=batch, record_id=record_id, gold_id=gold_id, position=position)
            for position, (record_id, gold_id) in enumerate(entries)
        ]
    Batch.objects.bulk_create(batches)
    BatchItem.objects.bulk_create(items, batch_size=_ROWS_PER_INSERT)
    return batches


def _entries(lot: Lot, plan: Plan, gold: list[uuid.UUID]) -> list[tuple[uuid.UUID | None, uuid.UUID | None]]:
    rng = random.Random(f"{lot.pk}/{plan.chunk}/{plan.layer}")  # noqa: S311 (an order, not a secret)
    n_gold = min(len(gold), round(len(plan.records) * lot.job.gold_ratio))
    entries: list[tuple[uuid.UUID | None, uuid.UUID | None]] = [(record.pk, None) for record in plan.records]
    entries += [(None, gold_id) for gold_id in rng.sample(gold, n_gold)]
    rng.shuffle(entries)
    return entries
