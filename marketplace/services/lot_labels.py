"""What a lot's labels tell an experiment: the labels, who said what, and how its vendors did on gold."""

from collections import defaultdict

from django.db.models import Count

from curation.services.observations import ObservationInput
from marketplace.core.states import RecordState
from marketplace.models import Annotation, Job, JobRecord, Lot


def of_lot(lot: Lot) -> list[ObservationInput]:
    """Return the decided records of a lot; two queries.

    A model that learns from labels of its own believes itself more each round: those of machines are left out. Answers
    that a record cannot be labeled name no class and are left out of who said what.
    """
    rows = JobRecord.objects.filter(lot=lot, is_machine=False).exclude(state=RecordState.OPEN).order_by("position")
    said: dict[object, list[tuple[str, int]]] = defaultdict(list)
    given = Annotation.objects.filter(record__lot=lot, is_current=True, label__gte=0).order_by("pk")
    for record_id, vendor_id, label in given.values_list("record_id", "vendor_id", "label"):
        said[record_id].append((str(vendor_id), label))
    return [
        ObservationInput(
            key=row.key,
            label=row.label,
            reason=row.reason,
            confidence=row.confidence or 0.0,
            proba=tuple(row.posterior or ()),
            answers=tuple(said[row.pk]) if row.label is not None else (),
        )
        for row in rows
    ]


def gold_counts(job: Job) -> dict[str, list[list[int]]]:
    """Return how often each vendor gave which class to which class of gold, [gold][answer] by vendor; one query."""
    n_classes = len(job.label_schema.classes)
    counts: dict[str, list[list[int]]] = {}
    given = Annotation.objects.filter(job=job, gold__label__gte=0, label__gte=0, is_current=True)
    rows = given.values_list("vendor_id", "gold__label", "label").annotate(n=Count("pk")).order_by()
    for vendor_id, truth, label, n in rows:
        table = counts.setdefault(str(vendor_id), [[0] * n_classes for _ in range(n_classes)])
        table[truth][label] += n
    return counts
