"""What effects of rules forbid or demand while they hold: asked by those who take answers, rank and vet."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Final

from common.errors import FieldError, ValidationFailedError
from marketplace.models import Annotation, Assignment, Job, JobRecord
from marketplace.selectors import rules

_BARRED: Final = ("pause_annotator", "ban_annotator")


def refuse_barred(assignment: Assignment, annotators: Sequence[str]) -> None:
    """Raise when one of the annotators may not answer on this job now (one query).

    Raises
    ------
    ValidationFailedError
        Names the place of each such answer, the reason, and when it ends.
    """
    barred = {
        effect.annotator: effect
        for effect in rules.in_force(assignment.job_id, *_BARRED).filter(vendor_id=assignment.vendor_id).order_by("pk")
    }
    errors: list[FieldError] = []
    for number, annotator in enumerate(annotators):
        effect = barred.get(annotator)
        if effect is not None:
            until = f" until {effect.expires_at:%Y-%m-%d %H:%M:%S} UTC" if effect.expires_at else ""
            name = f"The annotator {annotator!r}" if annotator else "Your annotator without a name"
            detail = f"{name} may not answer on this job{until}. {effect.words} Let another annotator do it."
            errors.append({"field": f"annotations[{number}].annotator", "code": effect.action, "detail": detail})
    if errors:
        raise ValidationFailedError(f"{len(errors)} answers are of annotators that a rule stops.", errors=errors)


def paused_vendors(job: Job) -> dict[uuid.UUID, str]:
    """Return the vendors that get no offers of this job now, with the reason (one query)."""
    return {effect.vendor_id: effect.words for effect in rules.in_force(job.pk, "pause_vendor").order_by("pk")}


def wants_another(job: Job, records: Iterable[JobRecord]) -> set[uuid.UUID]:
    """Return the records answered by somebody of whom a rule asks one more opinion (two queries)."""
    suspects = set(rules.in_force(job.pk, "extra_overlap").values_list("vendor_id", "annotator"))
    if not suspects:
        return set()
    given = Annotation.objects.filter(record__in=list(records), is_current=True)
    return {
        record_id
        for record_id, vendor_id, annotator in given.values_list("record_id", "vendor_id", "annotator")
        if record_id is not None and not suspects.isdisjoint({(vendor_id, annotator), (vendor_id, "")})
    }
