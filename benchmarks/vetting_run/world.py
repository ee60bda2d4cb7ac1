"""A job with many concluded lots and one that waits for vetting, written straight into the tables."""

import datetime
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from django.utils import timezone

from common.models import Organization
from marketplace.models import (
    Annotation,
    Assignment,
    Batch,
    BatchItem,
    Candidate,
    GoldRecord,
    InstructionVersion,
    Job,
    JobRecord,
    LabelSchema,
    Lot,
    Offer,
    RankingRun,
)
from vendors.models import Capability, CapacityWindow, Vendor

PRICE_MICRO = 20_000
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Size:
    """How large the job is, how many answers a record has, and the Beta law of the vendors' accuracies."""

    n_lots: int = 100
    n_records: int = 1000
    batch_size: int = 20
    n_vendors: int = 20
    n_gold: int = 200
    n_classes: int = 5
    overlap: int = 2
    gold_ratio: float = 0.1
    accuracy: tuple[float, float] = (12.0, 3.0)


class World:
    """The job; ``lots`` are in order, all but the last concluded."""

    def __init__(self, size: Size, seed: int = 0) -> None:
        self.size = size
        self.rng = np.random.default_rng(seed)
        self.classes = [f"class {number}" for number in range(size.n_classes)]
        self.job = self._job()
        self.instruction = InstructionVersion.objects.create(job=self.job, version=1, text="Say which class it is.")
        self.gold = self._gold()
        self.capabilities = [self._capability() for _ in range(size.n_vendors)]
        self.accuracy = self.rng.beta(*size.accuracy, size.n_vendors)
        self.run = RankingRun.objects.create(job=self.job, algorithm="benchmark", inputs_hash="", n_eligible=0)
        self.candidates = Candidate.objects.bulk_create(
            Candidate(run=self.run, vendor_id=c.vendor_id, capability=c, words="") for c in self.capabilities
        )
        self.truth: dict[uuid.UUID, int] = {gold.pk: gold.label for gold in self.gold}
        self.lots = [self._lot(number) for number in range(1, size.n_lots + 1)]

    def _job(self) -> Job:
        customer = Organization.objects.create(name=f"Benchmark {next(_numbers)}", kind="customer")
        schema = LabelSchema.objects.create(
            organization=customer, name="Classes", task_type="classification", classes=self.classes
        )
        return Job.objects.create(
            organization=customer,
            label_schema=schema,
            title="Benchmark",
            modality="image",
            weight_cost=1.0,
            weight_speed=0.0,
            weight_accuracy=0.0,
            budget_micro=10**15,
            committed_micro=10**14,
            batch_size=self.size.batch_size,
            min_overlap=self.size.overlap,
        )

    def _gold(self) -> list[GoldRecord]:
        labels = self.rng.integers(self.size.n_classes, size=self.size.n_gold)
        rows = [GoldRecord(job=self.job, key=f"gold-{n}", label=int(label)) for n, label in enumerate(labels)]
        return GoldRecord.objects.bulk_create(rows)

    def _capability(self) -> Capability:
        organization = Organization.objects.create(name=f"Vendor {next(_numbers)}", kind="vendor")
        vendor = Vendor.objects.create(organization=organization, name=organization.name, state="active")
        CapacityWindow.objects.create(vendor=vendor, slots=1000)
        return Capability.objects.create(vendor=vendor, task_type="classification", modality="image", status="active")

    def _lot(self, number: int) -> Lot:
        size, is_last = self.size, number == self.size.n_lots
        lot = Lot.objects.create(
            job=self.job, number=number, n_records=size.n_records, state="open" if is_last else "closed"
        )
        labels = self.rng.integers(size.n_classes, size=size.n_records)
        records = JobRecord.objects.bulk_create(
            JobRecord(
                job=self.job,
                lot=lot,
                chunk=n // size.batch_size,
                position=n,
                key=f"record-{number}-{n}",
                state="open" if is_last else "labeled",
                label=None if is_last else int(label),
            )
            for n, label in enumerate(labels)
        )
        self.truth |= {record.pk: int(label) for record, label in zip(records, labels, strict=True)}
        self._answer(lot, records, is_last=is_last)
        return lot

    def _answer(self, lot: Lot, records: list[JobRecord], *, is_last: bool) -> None:
        works = [work for chunk in self._chunks(records) for work in self._works(lot, chunk, is_last=is_last)]
        RankedRows(works).save()

    def _chunks(self, records: list[JobRecord]) -> Iterator[list[JobRecord]]:
        for start in range(0, len(records), self.size.batch_size):
            yield records[start : start + self.size.batch_size]

    def _works(self, lot: Lot, records: list[JobRecord], *, is_last: bool) -> Iterator["Work"]:
        chosen = self.rng.choice(self.size.n_vendors, size=self.size.overlap, replace=False)
        for layer, who in enumerate(chosen):
            picked = self.rng.choice(len(self.gold), size=round(len(records) * self.size.gold_ratio), replace=False)
            content: list[JobRecord | GoldRecord] = [*records, *(self.gold[n] for n in picked)]
            work = Work.of(self, lot, records[0].chunk, layer, int(who), len(content), is_last=is_last)
            yield replace(work, items=[self._item(work, place, row) for place, row in enumerate(content)])

    def _item(self, work: "Work", position: int, content: JobRecord | GoldRecord) -> tuple[BatchItem, Annotation]:
        item = BatchItem(batch=work.batch, position=position, assignment=work.assignment, is_done=True)
        owner = {"record" if isinstance(content, JobRecord) else "gold": content}
        for name, value in owner.items():
            setattr(item, name, value)
        label = self.truth[content.pk]
        if self.rng.random() > self.accuracy[work.who]:
            label = (label + int(self.rng.integers(1, self.size.n_classes))) % self.size.n_classes
        answer = Annotation(
            job=self.job,
            item=item,
            assignment=work.assignment,
            vendor_id=work.assignment.vendor_id,
            instruction=self.instruction,
            annotator="a",
            label=label,
            seconds=3.0,
            **owner,
        )
        return item, answer


@dataclass(frozen=True)
class Work:
    """One vendor's answers on a chunk."""

    batch: Batch
    offer: Offer
    assignment: Assignment
    who: int
    items: list[tuple[BatchItem, Annotation]]

    @classmethod
    def of(cls, world: World, lot: Lot, chunk: int, layer: int, who: int, n_items: int, *, is_last: bool) -> "Work":
        """Return a batch, delivered or done, and what led to it."""
        capability, now = world.capabilities[who], timezone.now()
        batch = Batch(
            job=world.job,
            lot=lot,
            chunk=chunk,
            layer=layer,
            state="delivered" if is_last else "done",
            n_items=n_items,
            n_open=0,
            max_round=3,
        )
        shared = {"batch": batch, "job": world.job, "vendor_id": capability.vendor_id, "capability": capability}
        offer = Offer(
            **shared,
            lot=lot,
            chunk=chunk,
            candidate=world.candidates[who],
            round=1,
            sequence=who,
            state="accepted",
            n_items=n_items,
            price_micro=PRICE_MICRO,
            currency="USD",
            expires_at=now + datetime.timedelta(hours=1),
            decided_at=now,
        )
        assignment = Assignment(
            **shared,
            offer=offer,
            state="submitted" if is_last else "accepted",
            price_micro=PRICE_MICRO,
            reserved_micro=n_items * PRICE_MICRO * 11 // 10,
            n_items=n_items,
            start_due_at=now,
            lapse_at=now,
            due_at=now,
        )
        return cls(batch, offer, assignment, who, [])


@dataclass(frozen=True)
class RankedRows:
    """Rows in the order in which they refer to each other."""

    works: list[Work]

    def save(self) -> None:
        """Write them."""
        Batch.objects.bulk_create(work.batch for work in self.works)
        Offer.objects.bulk_create(work.offer for work in self.works)
        Assignment.objects.bulk_create(work.assignment for work in self.works)
        pairs = [pair for work in self.works for pair in work.items]
        BatchItem.objects.bulk_create((item for item, _ in pairs), batch_size=5000)
        Annotation.objects.bulk_create((answer for _, answer in pairs), batch_size=5000)
