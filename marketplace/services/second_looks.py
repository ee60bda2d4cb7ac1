"""Reviews: decided records, the unsure ones more often, are looked at by a person, who confirms or corrects."""

import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max

from common import audit
from common.actors import Actor
from common.clock import Now
from common.errors import NotFoundError, ValidationFailedError
from marketplace.core import reviewing
from marketplace.core.states import RecordState
from marketplace.errors import AlreadyDecidedError, NotDecidedYetError
from marketplace.models import JobRecord, Review
from marketplace.selectors import jobs
from marketplace.services import corrections, events, readings
from marketplace.services.corrections import Cause

_DECIDED = (RecordState.LABELED, RecordState.UNLABELABLE)


def draw(*, actor: Actor, job_id: uuid.UUID, n: int, seed: int = 0) -> list[Review]:
    """Draw decided records of a job for review, the unsure ones more often, and note each one's chance.

    Records reviewed before may be drawn again only after all; those are left out. Locks the job.

    Raises
    ------
    ValidationFailedError
        When no decided record is left to review.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        job = jobs.get(actor, job_id, lock=True)
        drawn_before = Review.objects.filter(job=job, cause=Review.Cause.DRAWN).values("record")
        rows = JobRecord.objects.filter(job=job, state__in=_DECIDED).exclude(pk__in=drawn_before).order_by("pk")
        pool = list(rows.values_list("pk", "confidence"))
        if not pool:
            raise ValidationFailedError.of("n", "nothing_left", "No decided record is left that was not drawn before.")
        chance = reviewing.inclusion(np.array([1 - (confidence or 0.0) for _, confidence in pool]), n)
        drawing = (Review.objects.filter(job=job).aggregate(n=Max("drawing"))["n"] or 0) + 1
        chosen = reviewing.draw(chance, np.random.default_rng(seed))
        drawn = Review.objects.bulk_create(
            Review(
                job=job,
                record_id=pool[place][0],
                drawing=drawing,
                chance=min(float(chance[place]), 1.0),
                pool_size=len(pool),
            )
            for place in chosen
        )
        events.of_job(job.pk, "reviews.drawn", drawing=drawing, n_drawn=len(drawn), n_records=len(pool), seed=seed)
        return drawn


def decide(*, actor: Actor, review_id: uuid.UUID, label: Any, note: str = "") -> Review:
    """Say what a drawn record's label is; another one than the decided label corrects it. Locks the review.

    Decided the same way again, it is returned as it is.

    Parameters
    ----------
    label
        In the task type's JSON form; None when it cannot be labeled.

    Raises
    ------
    AlreadyDecidedError
        When it was decided otherwise.
    NotDecidedYetError
        When the record, called for early, has no label yet.
    """
    actor.require("jobs:write")
    with transaction.atomic(durable=True):
        mine = Review.objects.filter(pk=review_id, job__in=jobs.for_actor(actor))
        row = mine.select_for_update(of=("self",), no_key=True).select_related("record__job__label_schema").first()
        if row is None:
            raise NotFoundError("There is no such review.")
        record = row.record
        schema = record.job.label_schema
        found = readings.read(schema, label, record.metadata, "answer")
        if record.state not in _DECIDED:
            raise NotDecidedYetError(state=record.state)
        if row.decided_at is not None:
            if corrections.says(schema, record.metadata, corrections.reading_of(record), found):
                return row
            raise AlreadyDecidedError
        is_right = corrections.says(schema, record.metadata, corrections.reading_of(record), found)
        Review.objects.filter(pk=row.pk).update(is_right=is_right, note=note, decided_at=Now())
        row.refresh_from_db(fields=["is_right", "note", "decided_at"])
        if not is_right:
            corrections.correct_record(record, found, Cause(note or "A reviewer corrected it.", review=row))
        audit.record(actor=actor, action="review.decided", target=row, is_right=is_right)
        return row


def accuracy(*, actor: Actor, job_id: uuid.UUID) -> reviewing.Accuracy | None:
    """Return the estimated accuracy of a job's labels as first decided, or None before the first whole drawing is done.

    Of the newest drawing whose reviews are all decided: a half-done one would favour what is quick to review.
    """
    job = jobs.get(actor, job_id)
    rows = list(
        Review.objects.filter(job=job, cause=Review.Cause.DRAWN)
        .order_by("drawing", "pk")
        .values_list("drawing", "chance", "pool_size", "is_right")
    )
    for number in sorted({row[0] for row in rows}, reverse=True):
        mine = [row for row in rows if row[0] == number]
        if all(row[3] is not None for row in mine):
            right, chance = np.array([float(bool(row[3])) for row in mine]), np.array([row[1] for row in mine])
            return reviewing.estimate(right, chance, mine[0][2])
    return None


def call_for(job_id: uuid.UUID, record_ids: Iterable[uuid.UUID], cause: Review.Cause, why: str) -> int:
    """Call records to review beside the drawings, each once, in the caller's transaction; return how many are new."""
    wanted = set(record_ids)
    known = Review.objects.filter(job_id=job_id, drawing=0, record__in=wanted).values_list("record", flat=True)
    fresh = sorted(wanted.difference(known))
    Review.objects.bulk_create(
        [Review(job_id=job_id, record_id=pk, drawing=0, chance=1.0, pool_size=1, cause=cause, why=why) for pk in fresh],
        ignore_conflicts=True,
    )
    if fresh:
        events.of_job(job_id, "reviews.called", cause=cause.value, n=len(fresh), why=why)
    return len(fresh)
