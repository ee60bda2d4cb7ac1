"""Answers as they come in: checked against the schema, all or nothing, the last one counts, history kept."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import transaction

from common.actors import Actor
from common.clock import Now, database_now
from common.errors import FieldError, NotFoundError, ValidationFailedError
from marketplace.core import checks
from marketplace.core.states import AssignmentState, BatchState
from marketplace.errors import AssignmentClosedError
from marketplace.models import (
    Annotation,
    Assignment,
    Batch,
    BatchItem,
    GoldRecord,
    InstructionVersion,
    JobRecord,
    LabelSchema,
)
from marketplace.services import assignments, disagreements, events, readings, restrictions
from vendors.models import DurationPosterior
from vendors.selectors import vendors
from vendors.services import posteriors

CANNOT_LABEL = readings.CANNOT_LABEL
CANNOT_LABEL_REASONS = checks.CANNOT_LABEL_REASONS


@dataclass(frozen=True, slots=True)
class Answer:
    """An annotator's answer on an item: a label in the task type's JSON form, or why it cannot be labeled."""

    item_id: uuid.UUID
    label: Any
    cannot_label: str | None = None
    annotator: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a submission led to."""

    assignment: Assignment
    n_new: int
    n_left: int


def submit(*, actor: Actor, assignment_id: uuid.UUID, answers: Sequence[Answer]) -> Delivery:
    """Take answers on items of an assignment; the last open item delivers the batch to vetting.

    All answers are written or none. Sent again, equal answers change nothing; a different answer replaces the
    earlier one, which is kept. Locks the assignment, then the batch.

    Raises
    ------
    ValidationFailedError
        When an answer names an item of another batch, an unknown class or reason, or an item twice.
    AssignmentClosedError
        When the work is delivered, ended, or past its deadline.
    """
    actor.require("annotations:write")
    vendor = vendors.own(actor)
    with transaction.atomic(durable=True):
        assignment = (
            Assignment.objects.select_for_update(of=("self",), no_key=True)
            .select_related("job__label_schema", "batch")
            .filter(pk=assignment_id, vendor=vendor)
            .first()
        )
        if assignment is None:
            raise NotFoundError("There is no such assignment.")
        items = {item.pk: item for item in assignment.items.select_related("record", "gold")}
        if any(answer.item_id not in items for answer in answers):
            refuse_closed(assignment)  # what was offered on is no longer part of it
        readings = _checked(answers, items, assignment.job.label_schema)
        if _is_replay(assignment, answers, readings):
            return Delivery(assignment, 0, 0)
        refuse_closed(assignment)
        restrictions.refuse_barred(assignment, [answer.annotator for answer in answers])
        fresh = _write(assignment, answers, readings, items)
        disagreements.notice(assignment.job, [(content_of(items[row.item_id]), row) for row in fresh if row.record_id])
        n_left = assignment.items.filter(is_done=False).count()
        _progress(assignment, answers, len(fresh), n_left)
        return Delivery(assignment, len(fresh), n_left)


def _checked(
    answers: Sequence[Answer], items: dict[uuid.UUID, BatchItem], schema: LabelSchema
) -> list[readings.Reading]:
    """Return what each answer says, or raise with every finding in its place."""
    facts = {str(pk): content_of(item).metadata for pk, item in items.items()}
    delivery = checks.check_delivery(
        [checks.Annotation(str(a.item_id), a.label, a.cannot_label, a.annotator, a.seconds) for a in answers],
        lambda key: schema.rules_for(facts[key]),
        expected=list(facts),
    )
    errors: list[FieldError] = [
        {"field": f"annotations[{number}].{finding.field}", "code": finding.code, "detail": finding.detail}
        for number, outcome in enumerate(delivery.outcomes)
        for finding in outcome.findings
        if outcome.status == "rejected"
    ]
    if errors:
        raise ValidationFailedError(f"{len(errors)} problems in {len(answers)} annotations.", errors=errors)
    return [readings.of_outcome(schema, outcome) for outcome in delivery.outcomes]


def content_of(item: BatchItem) -> JobRecord | GoldRecord:
    """Return the record behind a place in a batch, gold or not."""
    return cast(JobRecord | GoldRecord, item.record or item.gold)


def _is_replay(assignment: Assignment, answers: Sequence[Answer], given: list[readings.Reading]) -> bool:
    """Whether a delivered assignment already holds exactly these answers (a request sent twice)."""
    if assignment.state in {AssignmentState.RESERVED, AssignmentState.STARTED, AssignmentState.REWORK}:
        return False
    rows = assignment.annotations.filter(is_current=True).values_list("item_id", "label", "value")
    current = {item_id: readings.Reading(label, value) for item_id, label, value in rows}
    return all(current.get(a.item_id) == reading for a, reading in zip(answers, given, strict=True))


def refuse_closed(assignment: Assignment) -> None:
    """Raise AssignmentClosedError unless the work is still to be done, and in time."""
    if assignment.state not in {AssignmentState.RESERVED, AssignmentState.STARTED, AssignmentState.REWORK}:
        raise AssignmentClosedError(f"This assignment is {assignment.state}.", state=assignment.state)
    now = database_now()
    due_at = assignment.lapse_at if assignment.state == AssignmentState.RESERVED else assignment.due_at
    if due_at <= now:
        raise AssignmentClosedError(f"The deadline was {due_at:%Y-%m-%d %H:%M:%S} UTC.", due_at=due_at.isoformat())


def _write(
    assignment: Assignment, answers: Sequence[Answer], given: list[readings.Reading], items: dict[uuid.UUID, BatchItem]
) -> list[Annotation]:
    instruction = InstructionVersion.objects.filter(job_id=assignment.job_id).order_by("-version").first()
    if instruction is None:
        raise LookupError(f"job {assignment.job_id} has no instructions")
    current = {a.item_id: a for a in assignment.annotations.filter(is_current=True, item_id__in=items)}
    fresh = []
    for answer, reading in zip(answers, given, strict=True):
        earlier = current.get(answer.item_id)
        is_same = earlier is not None and readings.Reading(earlier.label, earlier.value) == reading
        if is_same and items[answer.item_id].is_done:
            continue
        item = items[answer.item_id]
        fresh.append(
            Annotation(
                job_id=assignment.job_id,
                item=item,
                assignment=assignment,
                vendor_id=assignment.vendor_id,
                record_id=item.record_id,
                gold_id=item.gold_id,
                instruction=instruction,
                annotator=answer.annotator,
                label=reading.label,
                value=reading.value,
                reason=answer.cannot_label or "",
                seconds=answer.seconds,
            )
        )
    replaced = [row.item_id for row in fresh if row.item_id in current]
    Annotation.objects.filter(item_id__in=replaced, is_current=True).update(is_current=False)
    Annotation.objects.bulk_create(fresh)
    BatchItem.objects.filter(pk__in=[row.item_id for row in fresh]).update(is_done=True)
    return fresh


def _progress(assignment: Assignment, answers: Sequence[Answer], n_new: int, n_left: int) -> None:
    if assignment.state == AssignmentState.RESERVED:
        assignment.state = AssignmentState.STARTED
        assignment.save(update_fields=["state"])
        Assignment.objects.filter(pk=assignment.pk).update(started_at=Now())
        Batch.objects.filter(pk=assignment.batch_id, state=BatchState.ASSIGNED).update(state=BatchState.IN_PROGRESS)
    timed = [a.seconds for a in answers if a.seconds is not None and a.seconds > 0]
    label_s = sum(timed) / len(timed) if timed else None
    if label_s is not None:
        posteriors.record_duration(
            capability_id=assignment.capability_id, metric=DurationPosterior.Metric.LABEL, seconds=label_s
        )
    facts = {"n_new": n_new, "n_left": n_left, "label_s": label_s}
    events.of_batch(
        assignment.batch, "annotations.received", vendor_id=assignment.vendor_id, subject=assignment.pk, **facts
    )
    Assignment.objects.filter(pk=assignment.pk).update(rules_due_at=Now())
    if n_left == 0:
        if assignment.n_reworks == 0:
            posteriors.record_completion(capability_id=assignment.capability_id, completed=True)
        assignments.deliver(assignment)
