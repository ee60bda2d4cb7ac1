"""Pre-labels: what a model says of records, taken before people answer; and what an annotator sees of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Q

from common.actors import Actor
from common.errors import FieldError, ValidationFailedError
from marketplace.core.first_pass import Role, role_of, unit_of
from marketplace.core.states import RecordState
from marketplace.models import BatchItem, FirstPass, GoldRecord, Job, JobRecord, PreLabel
from marketplace.selectors import jobs
from marketplace.services import events, first_pass, readings
from marketplace.services.readings import Reading

MAX_ROWS = 100_000
_ROWS_PER_INSERT = 5000
_CHANGED = ["model", "label", "value", "confidence", "probabilities", "role", "blind_chance", "threshold"]


@dataclass(frozen=True, slots=True)
class PreLabelInput:
    """A model's word on a record: its label in the task type's JSON form (None: cannot be labeled) and how sure it is.

    ``probabilities`` in the order of the schema's classes, of classifications, serve to notice answers that the model
    finds unlikely.
    """

    key: str
    label: Any
    confidence: float
    probabilities: Sequence[float] | None = None


def put(*, actor: Actor, job_id: uuid.UUID, model: str, rows: Sequence[PreLabelInput]) -> int:
    """Take pre-labels of records (or gold) by key; return how many. Locks the job.

    All are taken or none. Given again, a pre-label is replaced as long as nobody has the record in hand; whether it is
    blind stays as it was drawn.

    Raises
    ------
    ValidationFailedError
        When a label breaks the schema, a number is no ratio, a key repeats, or people have the record already.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        return put_locked(jobs.get(actor, job_id, lock=True), model, rows)


def put_locked(job: Job, model: str, rows: Sequence[PreLabelInput]) -> int:
    """Take pre-labels in the caller's transaction, which holds the job: the customer's, or those of curation."""
    if not model.strip():
        raise ValidationFailedError.of(
            "model", "required", "Name the model and its version: evidence is kept for each."
        )
    if not 0 < len(rows) <= MAX_ROWS:
        raise ValidationFailedError.of("prelabels", "count", f"Give 1 to {MAX_ROWS} pre-labels; got {len(rows)}.")
    terms = first_pass.terms_of(job)
    found = _checked(job, rows)
    PreLabel.objects.bulk_create(
        [_row(job, terms, model, row, reading) for row, reading in zip(rows, found, strict=True)],
        batch_size=_ROWS_PER_INSERT,
        update_conflicts=True,
        unique_fields=["job", "key"],
        update_fields=_CHANGED,
    )
    events.of_job(job.pk, "prelabels.received", model=model, n=len(rows))
    return len(rows)


def _row(job: Job, terms: FirstPass, model: str, row: PreLabelInput, reading: Reading) -> PreLabel:
    turn = role_of(unit_of(terms.seed, row.key), blind_ratio=terms.blind_ratio)
    return PreLabel(
        job=job,
        key=row.key,
        model=model,
        label=reading.label,
        value=reading.value,
        confidence=row.confidence,
        probabilities=None if row.probabilities is None else list(row.probabilities),
        role=turn.role,
        blind_chance=turn.blind_chance,
    )


def _checked(job: Job, rows: Sequence[PreLabelInput]) -> list[Reading]:
    """Return the labels as stored, or raise with every finding in its place (twenty at most)."""
    keys = [row.key for row in rows]
    facts = dict(GoldRecord.objects.filter(job=job, key__in=keys).values_list("key", "metadata"))
    facts |= dict(JobRecord.objects.filter(job=job, key__in=keys).values_list("key", "metadata"))
    taken, first = _in_hand(job, keys), dict[str, int]()
    errors: list[FieldError] = []
    readings_: list[Reading] = []
    for number, row in enumerate(rows):
        place = f"prelabels[{number}]"
        if first.setdefault(row.key, number) != number:
            errors.append(_error(place, "key", "duplicate_key", f"The key stands at {first[row.key]} too."))
        if row.key in taken:
            detail = "People have this record already; a pre-label comes before their answers."
            errors.append(_error(place, "key", "already_out", detail))
        errors += _of_numbers(job, row, place)
        try:
            readings_.append(readings.read(job.label_schema, row.label, facts.get(row.key, {}), place))
        except ValidationFailedError as refused:
            errors += refused.errors
        if len(errors) >= 20:
            break
    if errors:
        raise ValidationFailedError(f"{len(errors)} problems in {len(rows)} pre-labels.", errors=errors)
    return readings_


def _in_hand(job: Job, keys: Sequence[str]) -> set[str]:
    """Return the keys of records that are decided, answered, or accepted by a vendor."""
    out = BatchItem.objects.filter(record__job=job, record__key__in=keys).filter(
        Q(assignment__isnull=False) | Q(is_done=True)
    )
    decided = JobRecord.objects.filter(job=job, key__in=keys).exclude(state=RecordState.OPEN)
    return set(out.values_list("record__key", flat=True)) | set(decided.values_list("key", flat=True))


def _of_numbers(job: Job, row: PreLabelInput, place: str) -> list[FieldError]:
    if not 0 <= row.confidence <= 1:
        detail = f"Give a number from 0 to 1; got {row.confidence}."
        return [_error(place, "confidence", "out_of_range", detail)]
    if row.probabilities is None:
        return []
    classes, given = job.label_schema.classes, row.probabilities
    if job.label_schema.task_type != readings.CLASSIFICATION:
        detail = "Only classifications take probabilities by class; leave them out."
        return [_error(place, "probabilities", "not_for_this_task_type", detail)]
    if len(given) != len(classes):
        detail = f"Give one number for each of the {len(classes)} classes, in their order; got {len(given)}."
        return [_error(place, "probabilities", "count", detail)]
    values = np.array(given, dtype=np.float64)
    if not (np.all((values >= 0) & (values <= 1)) and abs(values.sum() - 1) < 0.01):
        detail = f"Give numbers from 0 to 1 that sum to 1; these sum to {values.sum():.3g}."
        return [_error(place, "probabilities", "sum", detail)]
    return []


def _error(place: str, field: str, code: str, detail: str) -> FieldError:
    return {"field": f"{place}.{field}", "code": code, "detail": detail}


def shown_for(job: Job, keys: Sequence[str]) -> dict[str, PreLabel]:
    """Return the pre-labels that annotators may see, by key (one query)."""
    return {row.key: row for row in PreLabel.objects.filter(job=job, key__in=keys, role=Role.SHOWN)}
