"""Closing a chunk: each record gets its label and confidence, each answer its pay."""

import uuid

from django.db import transaction

from marketplace.core.states import AnnotationState, RecordState
from marketplace.models import Annotation, Assignment, Batch, JobRecord
from marketplace.services import reviews, settlements
from marketplace.services.evidence import Evidence, Given

CONTRADICTED = 0.95
"""Confidence of the consensus from which an answer that differs is not paid: below, nobody can say it is wrong."""


def conclude(batches: list[Batch], records: list[JobRecord], facts: Evidence) -> None:
    """Write the labels of a chunk's records and settle all work on them, inside the caller's transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a chunk is concluded inside the vetting transaction")
    for record in records:
        _label(record, facts)
    changed = ["state", "label", "confidence", "posterior", "reason"]
    JobRecord.objects.bulk_update(
        records, [*changed, "value"] if any(r.value is not None for r in records) else changed
    )
    _pay(batches, {record.pk: record for record in records}, facts)


def _label(record: JobRecord, facts: Evidence) -> None:
    if facts.n_answers(record.pk) == 0:
        record.state, record.reason = RecordState.UNRESOLVED, "no_answer"
        return
    found = facts.consensus(record.pk)
    record.state = RecordState.UNLABELABLE if found.is_unlabelable else RecordState.LABELED
    record.label, record.value = found.label, found.value
    record.confidence, record.posterior = found.confidence, found.posterior
    record.reason = facts.main_reason(record.pk) if found.is_unlabelable else ""


def _pay(batches: list[Batch], records: dict[uuid.UUID, JobRecord], facts: Evidence) -> None:
    work = list(Assignment.objects.filter(batch__in=batches, settlement=None).select_related("batch").order_by("pk"))
    ids = {assignment.pk for assignment in work}
    given = [g for g in facts.given if g.assignment_id in ids]
    passed = [g.annotation_id for g in given if _is_paid(g, records, facts)]
    failed = {g.annotation_id for g in given}.difference(passed)
    Annotation.objects.filter(pk__in=passed).update(state=AnnotationState.ACCEPTED)
    Annotation.objects.filter(pk__in=failed).update(state=AnnotationState.REJECTED)
    if work:
        reviews.open_for(batches, batches[0].job.review_window_s)
    for assignment in work:
        settlements.settle(assignment)


def _is_paid(given: Given, records: dict[uuid.UUID, JobRecord], facts: Evidence) -> bool:
    if given.record_id is None:
        return facts.is_gold_correct(given)
    record = records.get(given.record_id)
    if record is None or facts.certainty(record.pk) < CONTRADICTED:
        return True
    return facts.agrees(given)
