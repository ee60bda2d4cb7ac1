"""Changing a decided label, or gold: the old one stays on record, and everything that used it is reckoned anew.

What is reckoned: the vendors' proven accuracy, the pay of answers refused before, verdicts that rested on wrong gold.
Histories that rules look at are read with the label as it stands. What was paid in good faith stays paid.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from marketplace.core import kinds
from marketplace.core.cutting import HARD
from marketplace.core.states import AnnotationState, RecordState
from marketplace.models import Adjudication, Annotation, Correction, GoldRecord, JobRecord, LabelSchema, Review
from marketplace.services import adjustments, events, reconsiderations
from marketplace.services.readings import CANNOT_LABEL, CLASSIFICATION, Reading
from vendors.services import posteriors

PERSON_ACCURACY = 0.98
"""How often somebody who takes a second look is believed to be right: what a correction does to the confidence."""
PEER_WEIGHT = 0.5
"""Gold-equivalents of an answer judged by a decided label, as when the vendor's record first counted it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a correction follows from, and why in words."""

    reason: str
    review: Review | None = None
    adjudication: Adjudication | None = None


def says(schema: LabelSchema, metadata: object, first: Reading, second: Reading) -> bool:
    """Return whether two labels say the same."""
    if CANNOT_LABEL in {first.label, second.label} or schema.task_type == CLASSIFICATION:
        return first.label == second.label
    return kinds.get(schema.task_type).is_right(first.value, second.value, schema.rules_for(metadata))  # type: ignore[arg-type]


def reading_of(row: Annotation | GoldRecord | JobRecord) -> Reading:
    """Return what an answer, gold or a decided record says."""
    if isinstance(row, JobRecord) and row.state == RecordState.UNLABELABLE:
        return Reading(CANNOT_LABEL)
    return Reading(0 if row.label is None else row.label, row.value)


def correct_record(record: JobRecord, to: Reading, cause: Cause) -> Correction | None:
    """Correct a decided record in the caller's transaction; None when it says that already.

    Raises
    ------
    RuntimeError
        When called outside a transaction.
    """
    _require_transaction()
    schema, old = record.job.label_schema, reading_of(record)
    if says(schema, record.metadata, old, to):
        return None
    confidence, posterior = _belief(record, to, len(schema.classes))
    row = _write(record.job_id, old, to, cause, record=record, old_confidence=record.confidence, confidence=confidence)
    is_cannot = to.label == CANNOT_LABEL
    JobRecord.objects.filter(pk=record.pk).update(
        state=RecordState.UNLABELABLE if is_cannot else RecordState.LABELED,
        label=None if is_cannot or to.value is not None else to.label,
        value=to.value,
        confidence=confidence,
        posterior=posterior,
        reason="other" if is_cannot else "",
        is_machine=False,
    )
    answers = Annotation.objects.filter(record=record, is_current=True)
    _reckon(list(answers.select_related("assignment__batch").order_by("pk")), schema, record, old, to, row)
    return row


def correct_gold(gold: GoldRecord, to: Reading, cause: Cause) -> Correction | None:
    """Correct gold in the caller's transaction and reconsider work rejected by it; None when it says that already."""
    _require_transaction()
    schema, old = gold.job.label_schema, reading_of(gold)
    if says(schema, gold.metadata, old, to):
        return None
    row = _write(gold.job_id, old, to, cause, gold=gold)
    GoldRecord.objects.filter(pk=gold.pk).update(label=to.label, value=to.value)
    answers = list(Annotation.objects.filter(gold=gold).select_related("assignment__batch").order_by("pk"))
    _reckon(answers, schema, gold, old, to, row)
    reconsiderations.of_work({answer.assignment_id for answer in answers}, row)
    return row


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a correction commits together with its cause")


def _write(
    job_id: uuid.UUID,
    old: Reading,
    to: Reading,
    cause: Cause,
    *,
    record: JobRecord | None = None,
    gold: GoldRecord | None = None,
    old_confidence: float | None = None,
    confidence: float | None = None,
) -> Correction:
    row = Correction.objects.create(
        job_id=job_id,
        record=record,
        gold=gold,
        review=cause.review,
        adjudication=cause.adjudication,
        old_label=old.label,
        old_value=old.value,
        old_confidence=old_confidence,
        new_label=to.label,
        new_value=to.value,
        new_confidence=confidence,
        reason=cause.reason,
    )
    what = "gold" if gold is not None else "record"
    key = gold.key if gold is not None else record.key if record is not None else ""
    events.of_job(job_id, f"{what}.corrected", correction=str(row.pk), key=key, reason=cause.reason)
    return row


def _belief(record: JobRecord, to: Reading, n_classes: int) -> tuple[float, list[float] | None]:
    """Return the belief in the new label after one more, very good, answer; and the posterior over all classes."""
    if record.posterior is None:
        doubt = 1 - min(max(record.confidence or 0.5, 1e-6), 1 - 1e-6)
        odds = doubt * PERSON_ACCURACY / ((1 - doubt) * (1 - PERSON_ACCURACY))
        return float(odds / (1 + odds)), None
    place = n_classes if to.label == CANNOT_LABEL else to.label
    likelihood = np.full(len(record.posterior), (1 - PERSON_ACCURACY) / max(len(record.posterior) - 1, 1))
    likelihood[place] = PERSON_ACCURACY
    belief = np.asarray(record.posterior) * likelihood + 1e-12 * likelihood
    belief /= belief.sum()
    return float(belief[place]), [float(p) for p in belief]


def _reckon(
    answers: Sequence[Annotation],
    schema: LabelSchema,
    about: JobRecord | GoldRecord,
    old: Reading,
    to: Reading,
    row: Correction,
) -> None:
    """Pay the answers refused before that are right now, and move the evidence about those whose rightness changed."""
    moved: dict[uuid.UUID, float] = defaultdict(float)
    moved_hard: dict[uuid.UUID, float] = defaultdict(float)
    is_hard = isinstance(about, JobRecord) and about.difficulty is not None and about.difficulty >= HARD
    for answer in answers:
        given = reading_of(answer)
        was, now = (says(schema, about.metadata, given, truth) for truth in (old, to))
        if was != now:
            weight = PEER_WEIGHT if answer.gold_id is None else 1.0
            moved[answer.assignment.capability_id] += weight if now else -weight
            if is_hard and answer.assignment.batch.hard_ratio:
                moved_hard[answer.assignment.capability_id] += weight if now else -weight
        if now and answer.is_current and answer.state == AnnotationState.REJECTED:
            adjustments.pay(answer, correction=row)
    posteriors.correct_accuracy(moved=moved, moved_hard=moved_hard)
    if moved:
        facts = {"moved": moved, "moved_hard": moved_hard}
        told = {name: {str(key): weight for key, weight in weights.items()} for name, weights in facts.items()}
        events.of_job(row.job_id, "accuracy.corrected", correction=str(row.pk), **told)
