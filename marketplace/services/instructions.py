"""Instructions: a new version from a moment on; answers given before keep the version they were given under."""

import uuid

from django.db import transaction

from common import outbox
from common.actors import Actor
from common.errors import ValidationFailedError
from marketplace.core.states import OPEN_ASSIGNMENTS, JobState
from marketplace.errors import InstructionsVersionError, JobClosedError
from marketplace.models import Assignment, InstructionVersion, Job
from marketplace.selectors import jobs
from marketplace.services import events

MAX_TEXT = 50_000
_CHANGEABLE = {JobState.OPEN, JobState.PAUSED}


def change(*, actor: Actor, job_id: uuid.UUID, text: str, replaces: int) -> InstructionVersion:
    """Write a new version of a job's instructions, and tell the vendors with its work in hand. Locks the job.

    A text equal to the newest is no new version: that one is returned, so that asking twice makes one.

    Parameters
    ----------
    replaces
        The version the writer started from; another one since then is not overwritten unseen.

    Raises
    ------
    ValidationFailedError
        When the text is empty.
    JobClosedError
        When the job has ended.
    InstructionsVersionError
        When there is a newer version than the one started from.
    """
    actor.require("jobs:write")
    if not text.strip():
        raise ValidationFailedError.of("text", "required", "Say what annotators shall do.")
    with transaction.atomic(durable=True):
        job = jobs.get(actor, job_id, lock=True)
        newest = InstructionVersion.objects.filter(job=job).order_by("-version").first()
        if newest is not None and newest.text == text:
            return newest
        if job.state not in _CHANGEABLE:
            raise JobClosedError(state=job.state)
        current = newest.version if newest is not None else 0
        if replaces != current:
            raise InstructionsVersionError(current=current)
        row = InstructionVersion.objects.create(job=job, version=current + 1, text=text)
        events.of_job(job.pk, "instructions.changed", version=row.version)
        _tell(job, row)
        return row


def _tell(job: Job, row: InstructionVersion) -> None:
    """Put a line into the inbox of every vendor at work on the job."""
    at_work = Assignment.objects.filter(job=job, state__in=OPEN_ASSIGNMENTS).order_by("vendor_id")
    about = [{"subject": str(row.pk), "facts": {"job": job.title, "version": row.version}}]
    for vendor_id in at_work.values_list("vendor_id", flat=True).distinct():
        outbox.put("vendor.notice", {"vendor": str(vendor_id), "kind": "instructions.changed", "about": about})
