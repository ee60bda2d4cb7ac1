"""The machine's first pass: its terms, which labels may stand without a person, and the end of that when they fail.

Evidence is kept for each model by name: a new version has to prove itself anew. It rests on records that people labeled
without seeing the pre-label, as what they see sways them.
"""

import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db import transaction

from common import audit as trail
from common.actors import Actor
from common.clock import Now
from common.errors import ValidationFailedError
from marketplace.core import first_pass as core
from marketplace.core.first_pass import Role
from marketplace.core.states import RecordState
from marketplace.models import FirstPass, Job, JobRecord, PreLabel
from marketplace.selectors import jobs
from marketplace.services import corrections, events, readings

DECIDED = (RecordState.LABELED, RecordState.UNLABELABLE)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a customer asks of the first pass; None leaves it as it is (at first: 10 %, 10 %, the job's target, off)."""

    blind_ratio: float | None = None
    audit_ratio: float | None = None
    required_accuracy: float | None = None
    is_auto_accept: bool | None = None


def terms_of(job: Job) -> FirstPass:
    """Return the terms of a locked job, made with their defaults where there are none."""
    defaults = {"required_accuracy": min(max(job.target_confidence, 0.5), 0.999), "seed": secrets.randbits(62)}
    return FirstPass.objects.get_or_create(job=job, defaults=defaults)[0]


def change(*, actor: Actor, job_id: uuid.UUID, terms: Terms) -> FirstPass:
    """Change the terms for records ordered from now on; asked for what they say, nothing changes. Locks the job.

    Auto-accept switched on again after it ended by itself acts only when the evidence, the audits among it, allows.

    Raises
    ------
    ValidationFailedError
        When a share or accuracy is out of range.
    """
    actor.require("jobs:write")
    _refuse(terms)
    with transaction.atomic(durable=True):
        row = terms_of(jobs.get(actor, job_id, lock=True))
        stated = {name: value for name in Terms.__dataclass_fields__ if (value := getattr(terms, name)) is not None}
        if all(getattr(row, name) == value for name, value in stated.items()):
            return row
        if stated.get("is_auto_accept"):
            stated |= {"ended_at": None, "ended_why": ""}
        FirstPass.objects.filter(pk=row.pk).update(**stated)
        row.refresh_from_db()
        said = {name: value for name, value in stated.items() if name in Terms.__dataclass_fields__}
        trail.record(actor=actor, action="first_pass.changed", target=row, **said)
        events.of_job(row.job_id, "first_pass.changed", **said)
        return row


def _refuse(terms: Terms) -> None:
    ranges = (
        ("blind_ratio", terms.blind_ratio, 0.01, 0.5, "without blind records nobody knows how good the model is"),
        ("audit_ratio", terms.audit_ratio, 0.01, 1.0, "without audits nobody notices when the model fails"),
        ("required_accuracy", terms.required_accuracy, 0.5, 0.999, "no evidence proves that nothing is wrong"),
    )
    for field, value, least, most, why in ranges:
        if value is not None and not least <= value <= most:
            raise ValidationFailedError.of(field, "out_of_range", f"Give {least:g} to {most:g}: {why}.")


@dataclass(frozen=True, eq=False)
class Found:
    """Blind records that people have decided, oldest first: all of shape (n,)."""

    confidence: npt.NDArray[np.float64]
    is_right: npt.NDArray[np.bool_]
    blind_chance: npt.NDArray[np.float64]
    is_trusted: npt.NDArray[np.bool_]


def blind_evidence(job: Job, model: str) -> Found:
    """Return what people, unswayed, found of a model's labels (two queries)."""
    rows = list(PreLabel.objects.filter(job=job, model=model, role=Role.BLIND).order_by("pk"))
    schema = job.label_schema
    records = _decided(job, [row.key for row in rows])
    judged = [(row, records[row.key]) for row in rows if row.key in records]
    right = [
        corrections.says(
            schema, record.metadata, corrections.reading_of(record), readings.Reading(row.label, row.value)
        )
        for row, record in judged
    ]
    return Found(
        np.array([row.confidence for row, _ in judged], dtype=np.float64),
        np.array(right, dtype=np.bool_),
        np.array([row.blind_chance for row, _ in judged], dtype=np.float64),
        np.array([row.threshold is not None for row, _ in judged], dtype=np.bool_),
    )


def _decided(job: Job, keys: Sequence[str]) -> dict[str, JobRecord]:
    rows = JobRecord.objects.filter(job=job, key__in=keys, state__in=DECIDED, is_machine=False)
    return {row.key: row for row in rows}


def calibration(job: Job, model: str, terms: FirstPass) -> core.Calibration:
    """Return from which confidence a model's labels may stand."""
    found = blind_evidence(job, model)
    return core.calibrate(found.confidence, found.is_right, required=terms.required_accuracy)


def audit(job: Job, model: str, terms: FirstPass) -> core.Audit:
    """Return what people found of the share of trusted records that went to them all the same."""
    found = blind_evidence(job, model)
    mine = found.is_trusted
    n_trusted = PreLabel.objects.filter(job=job, model=model, threshold__isnull=False).count()
    return core.audit(found.is_right[mine], found.blind_chance[mine], n_trusted, required=terms.required_accuracy)


@dataclass(frozen=True, slots=True)
class Standing:
    """A label that stands without a person, and the accuracy believed of it."""

    reading: readings.Reading
    confidence: float


def take(job: Job, records: Iterable[tuple[str, dict[str, object]]]) -> dict[str, Standing]:
    """Return, by key, the labels that stand without a person, of records about to be ordered (key and metadata).

    Roles are drawn anew with the chance to be audited, in the transaction of the caller, which holds the job.
    """
    terms = FirstPass.objects.filter(job=job, is_auto_accept=True).first()
    if terms is None:
        return {}
    facts = dict(records)
    rows = list(PreLabel.objects.filter(job=job, key__in=list(facts)).order_by("pk"))
    by_model = {model: calibration(job, model, terms) for model in sorted({row.model for row in rows})}
    changed, standing = [], dict[str, Standing]()
    for row in rows:
        found = by_model[row.model]
        if found.threshold is None or row.confidence < found.threshold or not _keeps(job, row, facts[row.key]):
            continue
        unit = core.unit_of(terms.seed, row.key)
        turn = core.role_of(unit, blind_ratio=terms.blind_ratio, audit_ratio=terms.audit_ratio, is_trusted=True)
        row.role, row.blind_chance, row.threshold = turn.role, turn.blind_chance, found.threshold
        changed.append(row)
        if turn.role == Role.ACCEPTED:
            reading = readings.Reading(row.label, row.value)
            standing[row.key] = Standing(reading, found.accuracy_at(row.confidence))
    PreLabel.objects.bulk_update(changed, ["role", "blind_chance", "threshold"], batch_size=1000)
    if changed:
        events.of_job(job.pk, "first_pass.accepted", n_accepted=len(standing), n_audited=len(changed) - len(standing))
    return standing


def _keeps(job: Job, row: PreLabel, metadata: dict[str, object]) -> bool:
    """Return whether a label fits the record, now that it is known: one drawn past its edge goes to people."""
    shown = job.label_schema.shown(row.label, row.value, metadata)
    if row.label == readings.CANNOT_LABEL:
        return True
    try:
        readings.read(job.label_schema, shown, metadata, "label")
    except ValidationFailedError:
        return False
    return True


def look_after(job: Job) -> None:
    """End a job's auto-accept when audits show that it fails; inside the transaction that decided their records."""
    terms = FirstPass.objects.filter(job=job, is_auto_accept=True).first()
    if terms is None:
        return
    trusted = PreLabel.objects.filter(job=job, threshold__isnull=False)
    for model in trusted.order_by("model").values_list("model", flat=True).distinct():
        found = audit(job, model, terms)
        if found.is_failing and found.mean is not None:
            n_accepted = trusted.filter(model=model, role=Role.ACCEPTED).count()
            why = (
                f"Of {found.n} audited labels of {model}, {found.mean:.1%} are right; "
                f"{terms.required_accuracy:.1%} are required. {n_accepted} labels stand without a person."
            )
            FirstPass.objects.filter(pk=terms.pk).update(is_auto_accept=False, ended_at=Now(), ended_why=why)
            events.of_job(job.pk, "first_pass.ended", model=model, why=why, n_accepted=n_accepted)
            return
