"""Answers that repeat what a model suggested: two who take up one suggestion have not copied each other."""

from collections.abc import Sequence

from marketplace.core.first_pass import Role
from marketplace.models import Job, JobRecord, PreLabel
from marketplace.services.beliefs import Given


def without(job: Job, given: Sequence[Given]) -> Sequence[Given]:
    """Return the answers but those equal to the pre-label that was shown beside the record (one query without any)."""
    if not PreLabel.objects.filter(job=job, role=Role.SHOWN).exists():
        return given
    records = JobRecord.objects.filter(pk__in={g.record_id for g in given if g.record_id is not None})
    key_of = dict(records.values_list("pk", "key"))
    shown = PreLabel.objects.filter(job=job, role=Role.SHOWN, key__in=list(key_of.values()))
    said = {key: (label, value) for key, label, value in shown.values_list("key", "label", "value")}
    return [g for g in given if g.record_id is None or said.get(key_of[g.record_id]) != (g.label, g.value)]
