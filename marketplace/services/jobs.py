"""A customer's order: schema, job with its limits, gold, lots of records, cancel."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from common.actors import CUSTOMER, Actor
from common.errors import ConflictError, FieldError, NotFoundError, PermissionDeniedError, ValidationFailedError
from marketplace.core.acceptance import AQLS
from marketplace.core.feasibility import Obstacle
from marketplace.core.routing import Weights
from marketplace.core.states import JobState
from marketplace.errors import InfeasibleJobError, JobClosedError
from marketplace.models import GoldRecord, InstructionVersion, Job, LabelSchema, Lot
from marketplace.selectors import jobs
from marketplace.services import card_holds, events, forecasts, holds, lots, pins, readings, routing
from marketplace.services.lots import RecordInput

MAX_WAVE = 3
"""Most offers of one batch that are live at once."""
MAX_RELABELS = 20
"""Most times that a batch refused goes out again by itself."""


@dataclass(frozen=True, slots=True)
class GoldInput:
    """A record whose label the customer knows, in the task type's JSON form; None = cannot be labeled."""

    key: str
    label: Any
    uri: str = ""
    metadata: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobTerms:
    """Everything a job states besides its records; prices in micro-units, budget included fees."""

    title: str
    instructions: str
    modality: str
    budget_micro: int
    weights: Weights
    language: str = ""
    domain: str = ""
    data_class: str = "public"
    currency: str = "USD"
    max_price_micro: int | None = None
    min_accuracy: float | None = None
    due_at: datetime.datetime | None = None
    batch_size: int = 20
    is_splittable: bool = True
    gold_ratio: float = 0.1
    min_overlap: int = 2
    max_overlap: int = 4
    target_confidence: float = 0.9
    accuracy_floor: float = 0.7
    aql: float | None = None
    max_relabels: int = 3
    pinned_vendors: tuple[uuid.UUID, ...] = ()
    denied_vendors: tuple[uuid.UUID, ...] = ()
    is_manual: bool = False
    max_rounds: int = 3
    max_offers: int = 8
    round_pause_s: float = 300.0
    wave_size: int = 1
    review_window_s: int = 72 * 3600


def create_schema(
    *, actor: Actor, name: str, task_type: str, classes: Sequence[str] = (), rules: Mapping[str, object] | None = None
) -> LabelSchema:
    """Make a label schema; schemas never change, a job names one.

    Raises
    ------
    ValidationFailedError
        On an unknown task type, classes that the type does not take, or a rule it does not know or cannot keep.
    ConflictError
        When the organization has a schema of that name.
    """
    actor.require("jobs:write")
    _require_customer(actor)
    schema = LabelSchema(task_type=task_type, classes=list(classes), rules=dict(rules or {}), name=name)
    readings.check_schema(schema)
    try:
        with transaction.atomic(durable=True):
            schema.organization_id = _organization_id(actor)
            schema.save(force_insert=True)
            return schema
    except IntegrityError:
        raise ConflictError("You already have a label schema of this name; choose another name.") from None


def _require_customer(actor: Actor) -> None:
    if actor.organization_kind != CUSTOMER:
        raise PermissionDeniedError("Only a customer organization posts jobs.")


def create(
    *,
    actor: Actor,
    label_schema_id: uuid.UUID,
    terms: JobTerms,
    gold: Sequence[GoldInput] = (),
    records: Sequence[RecordInput] = (),
    card_hold_id: uuid.UUID | None = None,
) -> Job:
    """Post a job, with its first lot when records are given; paid by an amount held on a card where one is named.

    Raises
    ------
    NotFoundError
        When the schema is not the actor's.
    ValidationFailedError
        When gold or records are inconsistent; each error names its place.
    InsufficientFundsError, InvoiceOverdueError
        When the wallet does not cover the budget, or no more credit is given.
    InfeasibleJobError
        When the limits or the budget keep every available vendor out; the facts name the nearest value that would do.
    """
    actor.require("jobs:write")
    _require_customer(actor)
    job = draft(actor=actor, label_schema_id=label_schema_id, terms=terms)
    with transaction.atomic(durable=True):
        refuse_impossible(job, len(records))
        job.save(force_insert=True)
        InstructionVersion.objects.create(job=job, version=1, text=terms.instructions)
        _add_gold(job, job.label_schema, gold)
        events.of_job(job.pk, "job.posted", title=job.title)
        if records:
            forecasts.store(lots.add_to_locked(job, records), has_gold=bool(gold))
        if card_hold_id is not None:
            card_holds.take(job, card_hold_id)
        elif settings.BILLING_ENABLED:
            holds.take(job)
        return job


def draft(*, actor: Actor, label_schema_id: uuid.UUID, terms: JobTerms) -> Job:
    """Return the job that terms state, not stored.

    Raises
    ------
    NotFoundError
        When the schema is not the actor's.
    ValidationFailedError
        When the wave does not fit the job.
    """
    actor.require("jobs:write")
    _require_customer(actor)
    schema = LabelSchema.objects.filter(pk=label_schema_id, organization_id=_organization_id(actor)).first()
    if schema is None:
        raise NotFoundError("There is no such label schema.")
    _check_wave(terms)
    _check_acceptance(terms)
    values = {
        name: getattr(terms, name) for name in terms.__dataclass_fields__ if name not in {"instructions", "weights"}
    }
    values |= {"pinned_vendors": list(terms.pinned_vendors), "denied_vendors": list(terms.denied_vendors)}
    return Job(
        organization_id=_organization_id(actor),
        label_schema=schema,
        weight_cost=terms.weights.cost,
        weight_speed=terms.weights.speed,
        weight_accuracy=terms.weights.accuracy,
        **values,
    )


def _check_acceptance(terms: JobTerms) -> None:
    if terms.aql is not None and terms.aql not in AQLS:
        known = ", ".join(f"{limit:g}" for limit in AQLS)
        detail = f"Give a limit of ISO 2859-1 in percent ({known}), or leave it out; got {terms.aql:g}."
        raise ValidationFailedError.of("aql", "unknown", detail)
    if not 0 <= terms.max_relabels <= MAX_RELABELS:
        detail = f"A batch is labeled again 0 to {MAX_RELABELS} times; got {terms.max_relabels}."
        raise ValidationFailedError.of("max_relabels", "out_of_range", detail)


def _check_wave(terms: JobTerms) -> None:
    if not 1 <= terms.wave_size <= MAX_WAVE:
        detail = f"A wave is 1 to {MAX_WAVE} offers at once, got {terms.wave_size}."
        raise ValidationFailedError.of("wave_size", "out_of_range", detail)
    if terms.wave_size > 1 and terms.weights.priority != "speed":
        detail = f"Waves are for jobs that put speed first; yours puts {terms.weights.priority} first: leave it at 1."
        raise ValidationFailedError.of("wave_size", "not_for_this_priority", detail)


def refuse_impossible(job: Job, n_records: int) -> None:
    """Refuse a job that no available vendor could take, naming the limit and the nearest value that would do.

    Raises
    ------
    InfeasibleJobError
        When the limits or the budget keep every available vendor out.
    ValidationFailedError
        When a vendor named cannot be meant.
    """
    found = obstacles(job, n_records)
    if found:
        errors: list[FieldError] = [{"field": o.field, "code": "infeasible", "detail": o.detail} for o in found]
        raise InfeasibleJobError(errors=errors, nearest={o.field: o.nearest for o in found})
    pins.refuse_wrong(job, min(n_records or job.batch_size, job.batch_size))


def obstacles(job: Job, n_records: int) -> list[Obstacle]:
    """Return what keeps a job from being done, each with the nearest value that would do.

    A market without any available vendor is no obstacle: somebody may come, and the batches wait.
    """
    found = routing.obstacles(job, min(n_records or job.batch_size, job.batch_size))
    needed = lots.expected_cost_micro(job, n_records) if n_records and not found else None
    if needed is not None and needed > job.budget_micro:
        detail = f"{n_records} records will cost {needed / 1e6:.2f} {job.currency} at least; the budget is less."
        found = [Obstacle("budget_micro", detail, needed)]
    return found


def _organization_id(actor: Actor) -> uuid.UUID:
    if actor.organization_id is None:
        raise PermissionDeniedError("This needs an organization.")
    return actor.organization_id


def check_gold(*, actor: Actor, label_schema_id: uuid.UUID, gold: Sequence[GoldInput]) -> None:
    """Refuse gold that a job of this schema would refuse; an unknown schema is left to the call that needs it."""
    schema = LabelSchema.objects.filter(pk=label_schema_id, organization_id=_organization_id(actor)).first()
    if schema is not None:
        _golden(schema, gold)


def _golden(schema: LabelSchema, gold: Sequence[GoldInput]) -> list[readings.Reading]:
    """Return the known labels as they are stored."""
    for number, record in enumerate(gold):
        readings.check_record(schema, record.metadata, f"gold[{number}]")
    if len({record.key for record in gold}) < len(gold):
        raise ValidationFailedError.of("gold", "duplicate_key", "Each gold record needs a key of its own.")
    return [readings.read(schema, r.label, r.metadata, f"gold[{number}]") for number, r in enumerate(gold)]


def _add_gold(job: Job, schema: LabelSchema, gold: Sequence[GoldInput]) -> None:
    GoldRecord.objects.bulk_create(
        GoldRecord(job=job, key=r.key, uri=r.uri, metadata=r.metadata, label=known.label, value=known.value)
        for r, known in zip(gold, _golden(schema, gold), strict=True)
    )


def add_lot(*, actor: Actor, job_id: uuid.UUID, records: Sequence[RecordInput]) -> Lot:
    """Order labels for more records of a standing job.

    Raises
    ------
    JobClosedError
        When the job takes no more records.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        job = jobs.get(actor, job_id, lock=True)
        if job.state != JobState.OPEN:
            raise JobClosedError(state=job.state)
        return lots.add_to_locked(job, records)
