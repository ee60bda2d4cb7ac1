"""Disputes: a vendor objects to refused answers; each is labeled anew by somebody who sees not what was disputed."""

import datetime
import uuid
from typing import Any, Final

from django.db import transaction

from common import audit
from common.actors import Actor
from common.clock import Now, database_now
from common.errors import NotFoundError, ValidationFailedError
from marketplace.core.states import AnnotationState, Outcome
from marketplace.errors import AlreadyDecidedError, DisputeWindowOverError, NothingToDisputeError
from marketplace.models import Adjudication, Annotation, Assignment, Dispute, Verdict
from marketplace.services import adjustments, corrections, events, readings
from marketplace.services.corrections import Cause
from marketplace.services.readings import Reading
from vendors.selectors import vendors

WINDOW: Final = datetime.timedelta(days=7)
"""How long after a decision it can be disputed."""
MAX_ANSWERS: Final = 50
"""Answers labeled anew for one dispute of a whole verdict: the first refused ones."""


def open_dispute(*, actor: Actor, assignment_id: uuid.UUID, text: str, key: str | None = None) -> Dispute:
    """Dispute a refused answer (by its record's key), or, without a key, the newest verdict on the work.

    Asked again for the same, the dispute there is is returned. Locks the assignment.

    Raises
    ------
    NothingToDisputeError
        When no such answer was refused.
    DisputeWindowOverError
        When the decision is older than seven days.
    """
    actor.require("disputes:write")
    if not text.strip():
        raise ValidationFailedError.of("text", "required", "Say what is wrong with the decision.")
    vendor = vendors.own(actor)
    with transaction.atomic(durable=True):
        work = (
            Assignment.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=assignment_id, vendor=vendor)
            .first()
        )
        if work is None:
            raise NotFoundError("There is no such assignment.")
        refused = _refused(work, key)
        verdict = None if key is not None else work.verdicts.order_by("-pk").first()
        known = Dispute.objects.filter(adjudications__annotation__in=refused).order_by("pk").first()
        if known is not None:
            return known
        _refuse_late(work, verdict)
        dispute = Dispute.objects.create(job_id=work.job_id, assignment=work, vendor=vendor, verdict=verdict, text=text)
        Adjudication.objects.bulk_create(Adjudication(dispute=dispute, annotation=answer) for answer in refused)
        audit.record(actor=actor, action="dispute.opened", target=dispute, n_answers=len(refused))
        facts = {"n_answers": len(refused), "is_verdict": verdict is not None}
        events.of_batch(work.batch, "dispute.opened", vendor_id=vendor.pk, subject=dispute.pk, **facts)
        return dispute


def _refused(work: Assignment, key: str | None) -> list[Annotation]:
    rows = work.annotations.filter(state=AnnotationState.REJECTED).select_related("record", "gold").order_by("pk")
    found = [a for a in rows if key is None or key in {(a.record or a.gold).key, a.item.public_id}]  # type: ignore[union-attr]
    if not found:
        which = "This answer was not refused" if key is not None else "No answer of this work was refused"
        raise NothingToDisputeError(f"{which}; there is nothing to dispute.")
    return found[:MAX_ANSWERS]


def _refuse_late(work: Assignment, verdict: Verdict | None) -> None:
    settlement = getattr(work, "settlement", None)
    decided = [row.created_at for row in (settlement, verdict or work.verdicts.order_by("-pk").first()) if row]
    if not decided:
        raise NothingToDisputeError("This work is not decided yet.")
    decided_at = max(decided)
    if decided_at + WINDOW < database_now():
        raise DisputeWindowOverError(f"It was decided at {decided_at:%Y-%m-%d %H:%M} UTC, over seven days ago.")


def adjudicate(*, actor: Actor, adjudication_id: uuid.UUID, label: Any, note: str) -> Adjudication:
    """Label a disputed record anew, blind; the record, the gold and the pay follow as corrections.

    By staff, or by the vendor it was handed to, which has earned its fee then. Decided the same way again, it is
    returned as it is. Locks the adjudication and the dispute.

    Parameters
    ----------
    label
        In the task type's JSON form; None when it cannot be labeled.
    note
        Why; the vendor reads it.

    Raises
    ------
    AlreadyDecidedError
        When it was decided otherwise.
    ValidationFailedError
        When the label breaks the schema.
    """
    actor.require("disputes:decide" if actor.is_staff else "adjudications:decide")
    if not note.strip():
        raise ValidationFailedError.of("note", "required", "Say why; the vendor reads it.")
    with transaction.atomic(durable=True):
        rows = Adjudication.objects.select_for_update(of=("self",), no_key=True).filter(pk=adjudication_id)
        rows = rows if actor.is_staff else rows.filter(vendor=vendors.own(actor))
        row = rows.select_related(
            "annotation__record__job__label_schema",
            "annotation__gold__job__label_schema",
            "annotation__assignment__batch",
            "annotation__job__label_schema",
            "dispute",
        ).first()
        if row is None:
            raise NotFoundError("There is nothing to decide under this id.")
        answer = row.annotation
        about = answer.gold or answer.record
        if about is None:
            raise LookupError(f"annotation {answer.pk} is of nothing")
        schema = answer.job.label_schema
        found = readings.read(schema, label, about.metadata, "answer")
        if row.decided_at is not None:
            if Reading(row.label if row.label is not None else 0, row.value) == found:
                return row
            raise AlreadyDecidedError
        is_upheld = corrections.says(schema, about.metadata, corrections.reading_of(answer), found)
        Adjudication.objects.filter(pk=row.pk).update(
            label=found.label,
            value=found.value,
            note=note,
            is_upheld=is_upheld,
            decided_at=Now(),
            fee_due_at=Now() if row.fee_micro and not actor.is_staff else None,
        )
        row.refresh_from_db(fields=["label", "value", "note", "is_upheld", "decided_at"])
        _follow(row, found)
        audit.record(actor=actor, action="dispute.adjudicated", target=row, is_upheld=is_upheld)
        _close(row.dispute_id)
        return row


def _follow(row: Adjudication, found: Reading) -> None:
    """Correct what was decided otherwise; pay an upheld answer even where the decided label stands open."""
    answer = row.annotation
    cause = Cause(row.note, adjudication=row)
    if answer.gold is not None:
        corrections.correct_gold(answer.gold, found, cause)
    elif answer.record is not None and answer.record.state in {"labeled", "unlabelable"}:
        corrections.correct_record(answer.record, found, cause)
    if row.is_upheld:
        adjustments.pay(answer, adjudication=row)


def _close(dispute_id: uuid.UUID) -> None:
    dispute = (
        Dispute.objects.select_for_update(of=("self",), no_key=True)
        .select_related("assignment__batch")
        .get(pk=dispute_id)
    )
    outcomes = list(dispute.adjudications.values_list("is_upheld", flat=True))
    if None in outcomes:
        return
    upheld = sum(map(bool, outcomes))
    some = Dispute.State.PARTLY_UPHELD if upheld < len(outcomes) else Dispute.State.UPHELD
    state = some if upheld else Dispute.State.REFUSED
    Dispute.objects.filter(pk=dispute.pk).update(state=state, decided_at=Now())
    facts = {"outcome": state.value, "n_upheld": upheld, "n_answers": len(outcomes)}
    batch = dispute.assignment.batch
    events.of_batch(batch, "dispute.decided", vendor_id=dispute.vendor_id, subject=dispute.pk, **facts)


def is_open_to(work: Assignment) -> bool:
    """Return whether some answer of the work was refused and can still be disputed."""
    settlement = getattr(work, "settlement", None)
    newest = work.verdicts.order_by("-pk").first()
    decided = [row.created_at for row in (settlement, newest) if row is not None]
    if not decided or max(decided) + WINDOW < database_now():
        return False
    refused = work.annotations.filter(state=AnnotationState.REJECTED, adjudication=None)
    return refused.exists() and (newest is None or newest.outcome != Outcome.REWORK)
