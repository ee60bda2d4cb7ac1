"""The customer's review of vetted batches: accept, refuse single labels with reasons, or let the time pass.

Money moves when a review ends, never before; labels are there to train on at once. A review ends exactly once, by
whoever locks the batch first, customer or sweeper.
"""

import datetime
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from common import outbox
from common.actors import Actor
from common.clock import Now, database_now
from common.errors import FieldError, NotFoundError, ValidationFailedError
from marketplace.core import pricing
from marketplace.core.states import AnnotationState, RecordState, ReviewState
from marketplace.errors import BatchStateError
from marketplace.models import Annotation, Batch, Job, JobRecord, Settlement
from marketplace.selectors import jobs
from marketplace.services import events


@dataclass(frozen=True, slots=True)
class Refusal:
    """A label the customer refuses: the record's key, and why, for the vendor to read."""

    key: str
    reason: str


def open_for(batches: Iterable[Batch], window_s: int) -> None:
    """Open the review of concluded batches that hold accepted labels, in the vetting's transaction.

    With a window of zero nothing is reviewed: settlements are due at once.
    """
    if not window_s:
        return
    ids = [batch.pk for batch in batches]
    paid = Annotation.objects.filter(assignment__batch__in=ids, is_current=True, state=AnnotationState.ACCEPTED)
    Batch.objects.filter(pk__in=paid.values("assignment__batch"), review="").update(
        review=ReviewState.OPEN, review_from_at=Now(), review_due_at=Now() + datetime.timedelta(seconds=window_s)
    )


_CLOSE: Final = """
WITH due AS MATERIALIZED (
    SELECT id FROM marketplace_batch
    WHERE review = 'open' AND {which} ORDER BY review_due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), done AS (
    UPDATE marketplace_batch b SET review = %(outcome)s, reviewed_at = statement_timestamp()
    FROM due WHERE b.id = due.id
    RETURNING b.id, b.job_id, b.lot_id, b.review_from_at
), owed AS (
    UPDATE marketplace_settlement s SET post_due_at = statement_timestamp()
    FROM done JOIN marketplace_assignment a ON a.batch_id = done.id JOIN marketplace_job j ON j.id = done.job_id
    WHERE s.assignment_id = a.id AND j.is_billed AND s.vendor_micro + s.fee_micro > 0
), told AS (
    INSERT INTO marketplace_routingevent (created_at, job_id, lot_id, batch_id, vendor_id, kind, subject, facts)
    SELECT statement_timestamp(), job_id, lot_id, id, NULL, 'batch.reviewed', id, jsonb_build_object(
        'outcome', %(outcome)s::text, 'waited_s', extract(epoch FROM statement_timestamp() - review_from_at))
    FROM done
)
SELECT count(*) FROM done
"""


def _close(which: str, outcome: ReviewState, **facts: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE.format(which=which), {"outcome": outcome.value, "limit": 1} | facts)
        return int(cursor.fetchone()[0])


def accept_due(*, limit: int = 1000) -> int:
    """Accept what customers have let pass; return how many batches. Any number may run: each review ends once."""
    with transaction.atomic():
        return _close("review_due_at <= statement_timestamp()", ReviewState.AUTO, limit=limit)


def accept(*, actor: Actor, batch_id: uuid.UUID) -> Batch:
    """Accept a batch before its time is up; its vendors are paid. Asked again, the accepted batch is returned.

    Raises
    ------
    BatchStateError
        When the batch is not vetted yet, or labels of it were refused.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        batch = _locked(actor, batch_id)
        if batch.review == ReviewState.OPEN:
            _close("id = %(id)s", ReviewState.ACCEPTED, id=batch.pk)
            batch.refresh_from_db()
        elif batch.review not in {ReviewState.ACCEPTED, ReviewState.AUTO}:
            raise _not_open(batch)
        return batch


def refuse(*, actor: Actor, batch_id: uuid.UUID, refusals: Sequence[Refusal]) -> Batch:
    """Refuse labels of a batch, each with its reason, and accept the others; only those are paid.

    The refused records end unresolved, their vendors read why. Locks the batch, then the job.

    Raises
    ------
    BatchStateError
        When the review is not open, or its time is up though no sweeper has closed it yet.
    ValidationFailedError
        When nothing is refused, a key is given twice or names no accepted label of this batch, or a reason is missing.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        batch = _locked(actor, batch_id)
        if batch.review != ReviewState.OPEN:
            raise _not_open(batch)
        if batch.review_due_at is None or batch.review_due_at <= database_now():
            raise BatchStateError("The time to review this batch is over; it counts as accepted.", state="auto")
        refused = _refused(batch, refusals)
        _take_back(batch, refused)
        _tell(batch, refusals, refused)
        _close("id = %(id)s", ReviewState.REFUSED, id=batch.pk)
        batch.refresh_from_db()
        return batch


def _locked(actor: Actor, batch_id: uuid.UUID) -> Batch:
    batch = jobs.batches(actor).select_for_update(of=("self",), no_key=True).filter(pk=batch_id).first()
    if batch is None:
        raise NotFoundError("There is no such batch.")
    return batch


def _not_open(batch: Batch) -> BatchStateError:
    words = "has nothing to review yet" if not batch.review else f"was reviewed: {batch.review}"
    return BatchStateError(f"This batch {words}.", state=batch.review or batch.state)


def _refused(batch: Batch, refusals: Sequence[Refusal]) -> list[Annotation]:
    """Return the accepted annotations that are refused, or raise with every finding in its place."""
    rows = Annotation.objects.filter(
        assignment__batch=batch, is_current=True, state=AnnotationState.ACCEPTED, record__isnull=False
    ).select_related("record", "assignment")
    by_key = {row.record.key: row for row in rows if row.record is not None}
    times = Counter(refusal.key for refusal in refusals)
    errors: list[FieldError] = []
    for number, refusal in enumerate(refusals):
        field = f"records[{number}]"
        if refusal.key not in by_key:
            detail = f"The batch holds no accepted label of {refusal.key!r}."
            errors.append({"field": f"{field}.key", "code": "unknown_record", "detail": detail})
        elif times[refusal.key] > 1:
            errors.append({"field": f"{field}.key", "code": "duplicate_key", "detail": "Name each record once."})
        if not refusal.reason.strip():
            detail = "Say why, in words the vendor can act on."
            errors.append({"field": f"{field}.reason", "code": "required", "detail": detail})
    if not refusals:
        detail = "Name the records whose labels you refuse, or accept the batch."
        errors.append({"field": "records", "code": "required", "detail": detail})
    if errors:
        raise ValidationFailedError(f"{len(errors)} problems in {len(refusals)} refusals.", errors=errors)
    return [by_key[refusal.key] for refusal in refusals]


def _take_back(batch: Batch, refused: Sequence[Annotation]) -> None:
    """Mark labels refused, shrink the settlements they were in, and free what they held of the budget."""
    Annotation.objects.filter(pk__in=[row.pk for row in refused]).update(state=AnnotationState.REJECTED)
    JobRecord.objects.filter(pk__in=[row.record_id for row in refused]).update(
        state=RecordState.UNRESOLVED,
        label=None,
        value=None,
        confidence=None,
        posterior=None,
        reason="refused_in_review",
    )
    n_refused = Counter(row.assignment_id for row in refused)
    freed = 0
    for settlement in Settlement.objects.filter(assignment__in=n_refused).order_by("pk"):
        before = settlement.vendor_micro + settlement.fee_micro
        settlement.n_paid -= n_refused[settlement.assignment_id]
        settlement.vendor_micro = settlement.n_paid * settlement.price_micro
        after = pricing.cost_micro(settlement.n_paid, settlement.price_micro, batch.job.fee_basis_points)
        settlement.fee_micro = after - settlement.vendor_micro
        settlement.save(update_fields=["n_paid", "vendor_micro", "fee_micro"])
        freed += before - after
    Job.objects.filter(pk=batch.job_id).update(
        spent_micro=F("spent_micro") - freed, committed_micro=F("committed_micro") - freed
    )


def _tell(batch: Batch, refusals: Sequence[Refusal], refused: Sequence[Annotation]) -> None:
    reasons = {refusal.key: refusal.reason for refusal in refusals}
    events.of_batch(batch, "review.refused", subject=batch.pk, n=len(refused), reasons=reasons)
    by_vendor: dict[uuid.UUID, list[str]] = {}
    for row, refusal in zip(refused, refusals, strict=True):
        by_vendor.setdefault(row.vendor_id, []).append(f"{refusal.key}: {refusal.reason}")
    for vendor_id, lines in sorted(by_vendor.items()):
        facts = {"job": batch.job.title, "n": len(lines), "why": "; ".join(lines)[:1000]}
        about = [{"subject": str(batch.pk), "facts": facts}]
        outbox.put("vendor.notice", {"vendor": str(vendor_id), "kind": "review.refused", "about": about})
