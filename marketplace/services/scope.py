"""Which answers a vetting run reads: all of a small job; of a large one those it decides on, and some of the past.

What is believed of an annotator rests on the newest records that annotator answered, each with the answers of the
others, and on the newest gold. So a run costs as much as the chunks it decides, however large the job has grown, and
follows an annotator who changes.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from marketplace.models import Annotation, Assignment, Batch, Job

WHOLE = 20_000
"""Answers up to which all of a job are read."""
PER_ANNOTATOR = 200
"""Newest records, and newest gold answers, read of each annotator who answered what is decided now."""
MOST = 8_000
"""Records read at most for what they tell about annotators: a crowd of many small contributors shares them."""

Person = tuple[uuid.UUID, str]

_NEWEST = """
SELECT newest.id, newest.record_id
FROM unnest(%(vendors)s::uuid[], %(names)s::text[]) AS person (vendor_id, name)
CROSS JOIN LATERAL (
    SELECT id, record_id FROM marketplace_annotation
    WHERE job_id = %(job)s AND vendor_id = person.vendor_id AND annotator = person.name AND is_current
        AND record_id IS NOT NULL
    ORDER BY id DESC LIMIT %(limit)s
) AS newest
"""

_NEWEST_GOLD = _NEWEST.replace("record_id IS NOT NULL", "record_id IS NULL")


def is_small(job: Job) -> bool:
    """Return whether all answers of a job are read in each run."""
    return Annotation.objects.filter(job=job, is_current=True)[: WHOLE + 1].count() <= WHOLE


def of_batches(batches: Iterable[Batch]) -> set[uuid.UUID]:
    """Return the assignments behind batches."""
    ids = [batch.pk for batch in batches]
    return set(Assignment.objects.filter(batch_id__in=ids).values_list("pk", flat=True))


def records_that_tell(job: Job, people: Sequence[Person]) -> list[uuid.UUID]:
    """Return the newest records that people answered."""
    share = max(1, min(PER_ANNOTATOR, MOST // max(len(people), 1)))
    return sorted({record_id for _, record_id in _newest(job, people, share, is_gold=False)})


def gold_answers_that_tell(job: Job, people: Sequence[Person]) -> list[uuid.UUID]:
    """Return the newest answers that people gave on gold."""
    return [pk for pk, _ in _newest(job, people, PER_ANNOTATOR, is_gold=True)]


def _newest(job: Job, people: Sequence[Person], limit: int, *, is_gold: bool) -> list[tuple[uuid.UUID, uuid.UUID]]:
    facts: dict[str, Any] = {
        "job": job.pk,
        "vendors": [vendor for vendor, _ in people],
        "names": [name for _, name in people],
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_GOLD if is_gold else _NEWEST, facts)
        return list(cursor.fetchall())
