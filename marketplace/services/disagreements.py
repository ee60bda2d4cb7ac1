"""A check on arrival: answers that a customer's model is sure are wrong get a second look; none is refused for it."""

from collections.abc import Sequence

from marketplace.core.first_pass import disagrees
from marketplace.models import Annotation, GoldRecord, Job, JobRecord, PreLabel, Review
from marketplace.services import corrections, readings, second_looks


def notice(job: Job, answers: Sequence[tuple[JobRecord | GoldRecord, Annotation]]) -> int:
    """Call records to review on which a model contradicts an answer; return how many are new (one query without any).

    In the transaction that takes the answers; neither the vendor nor the verdict learns of it.
    """
    known = {row.key: row for row in PreLabel.objects.filter(job=job, key__in=[about.key for about, _ in answers])}
    found: dict[str, list[JobRecord]] = {}
    for about, answer in answers:
        row = known.get(about.key)
        if row is None or not isinstance(about, JobRecord):
            continue
        its = readings.Reading(row.label, row.value)
        is_same = corrections.says(job.label_schema, about.metadata, corrections.reading_of(answer), its)
        if disagrees(row.confidence, _probability(row, answer), is_same=is_same):
            found.setdefault(row.model, []).append(about)
    return sum(
        second_looks.call_for(
            job.pk, [record.pk for record in records], Review.Cause.MODEL, f"{model} is sure of something else."
        )
        for model, records in sorted(found.items())
    )


def _probability(row: PreLabel, answer: Annotation) -> float | None:
    """Return the model's probability of an answer; None where it gave none for it."""
    if row.probabilities is None or answer.label < 0:
        return None
    return row.probabilities[answer.label]
