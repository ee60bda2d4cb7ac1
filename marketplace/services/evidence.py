"""The annotations of a job as arrays for truth inference, and the way back from indices to rows."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from marketplace.core.acceptance import Equal, equal_answers, spam_probability
from marketplace.core.aggregation import Aggregation, Answers, aggregate
from marketplace.core.overlap import answered_by_proven, is_proven
from marketplace.models import Annotation, Batch, GoldRecord, Job
from marketplace.services import conduct, evidence_values, functions, scope, suggestions
from marketplace.services.beliefs import PEERS_TO_JUDGE, ClassEvidence, Consensus, Evidence, Given
from marketplace.services.readings import CLASSIFICATION

__all__ = ["Consensus", "Evidence", "Given", "of_chunks", "of_job"]

_COLUMNS = (
    "pk",
    "assignment_id",
    "record_id",
    "gold_id",
    "vendor_id",
    "annotator",
    "label",
    "value",
    "reason",
    "seconds",
    "state",
)
Row = tuple[Any, ...]
Bools = npt.NDArray[np.bool_]


def of_job(job: Job) -> Evidence:
    """Return the evidence of a whole job; answers of rejected work are left out.

    Answers of one vendor's annotators are told apart by the names the vendor gives them.
    """
    rows = _rows(Annotation.objects.filter(job=job))
    return _evidence(job, rows, None, job.records.values_list("pk", flat=True))


def of_chunks(job: Job, batches: Sequence[Batch], record_ids: Iterable[uuid.UUID]) -> Evidence:
    """Return the evidence on some chunks, given their batches and undecided records.

    Of a small job it is that of the whole job. Of a large one it rests on the answers that
    :mod:`marketplace.services.scope` names; docs/measurements/vetting_run.md says how far posteriors are off by that.
    """
    work = scope.of_batches(batches)
    if scope.is_small(job):
        return _evidence(job, _rows(Annotation.objects.filter(job=job)), work, record_ids)
    own = _rows(Annotation.objects.filter(assignment_id__in=work))
    if any(batch.wanted_vendor_id is not None for batch in batches):  # further opinions: the earlier ones count too
        record_ids = list(record_ids)
        own += _rows(Annotation.objects.filter(record_id__in=record_ids))
    people = sorted({(row[4], row[5]) for row in own})
    past = _rows(Annotation.objects.filter(record_id__in=scope.records_that_tell(job, people)))
    gold = _rows(Annotation.objects.filter(pk__in=scope.gold_answers_that_tell(job, people)))
    return _evidence(job, [*own, *past, *gold], work, record_ids)


def _rows(annotations: QuerySet[Annotation]) -> list[Row]:
    return list(annotations.filter(is_current=True).values_list(*_COLUMNS))


def _given(rows: Iterable[Row]) -> tuple[list[Given], int]:
    """Return the answers in order of arrival, each once, and how many annotators gave them."""
    annotators: dict[tuple[uuid.UUID, str], int] = {}
    given = [
        Given(pk, work, record, gold, annotators.setdefault((vendor, name), len(annotators)), vendor, *rest)
        for pk, work, record, gold, vendor, name, *rest in sorted({row[0]: row for row in rows}.values())
    ]
    return given, len(annotators)


def _evidence(job: Job, rows: Iterable[Row], work: set[uuid.UUID] | None, record_ids: Iterable[uuid.UUID]) -> Evidence:
    """Return the evidence in these answers, to decide on the given assignments (None: on all)."""
    given, n_annotators = _given(rows)
    gold_ids = {g.gold_id for g in given if g.gold_id is not None}
    gold = {row.pk: row for row in GoldRecord.objects.filter(pk__in=gold_ids).order_by("pk")}
    task_of: dict[uuid.UUID, int] = {}
    for pk in [*sorted({*record_ids, *(g.record_id for g in given if g.record_id is not None)}), *gold]:
        task_of[pk] = len(task_of)
    of_kind = _of_classes if job.label_schema.task_type == CLASSIFICATION else evidence_values.of_values
    believed = of_kind(job, given, task_of, gold, n_annotators)
    return believed if work is None else replace(believed, given=[g for g in given if g.assignment_id in work])


def _of_classes(
    job: Job, given: list[Given], task_of: dict[uuid.UUID, int], gold: dict[uuid.UUID, GoldRecord], n_annotators: int
) -> ClassEvidence:
    n_classes = len(job.label_schema.classes) + 1
    answers = _answers(given, task_of, n_annotators, n_classes)
    gold_label = {pk: row.label for pk, row in gold.items()}
    truth = {task_of[pk]: label if label >= 0 else n_classes - 1 for pk, label in gold_label.items()}
    result = aggregate(answers, gold=truth)
    proven = answered_by_proven(answers, _proven_annotators(answers, truth, job.target_confidence))
    spam = _spam(answers, result, truth)
    equal = [] if result.clique is None else _copies(suggestions.without(job, given), task_of, result.clique)
    seen = conduct.seen(given, equal)
    belief = functions.belief(job, task_of, result, n_classes)
    return ClassEvidence(given, task_of, result.n_answers, spam, proven, seen, gold_label, result, n_classes, belief)


def _copies(given: Sequence[Given], task_of: dict[uuid.UUID, int], clique: npt.NDArray[np.int32]) -> list[Equal]:
    """Return who copies whom among those whose agreement their skills do not explain."""
    sizes = np.bincount(clique)
    rows = [
        (task_of[g.record_id], g.annotator, (clique[g.annotator], g.label))
        for g in given
        if g.record_id is not None and sizes[clique[g.annotator]] > 1
    ]
    return [pair for pair in equal_answers(rows) if clique[pair.first] == clique[pair.later]]


def _answers(given: list[Given], task_of: dict[uuid.UUID, int], n_annotators: int, n_classes: int) -> Answers:
    tasks = [task_of[g.record_id or g.gold_id] for g in given]  # type: ignore[index]
    labels = [g.label if g.label >= 0 else n_classes - 1 for g in given]
    return Answers.keep_last(
        np.asarray(tasks, dtype=np.int64),
        np.asarray([g.annotator for g in given], dtype=np.int64),
        np.asarray(labels, dtype=np.int64),
        n_tasks=len(task_of),
        n_annotators=n_annotators,
        n_classes=n_classes,
        at=np.arange(len(given)),
    )


def _proven_annotators(answers: Answers, truth: dict[int, int], floor: float) -> Bools:
    """Return which annotators have shown on gold that they are as accurate as the job asks, shape (n_annotators,)."""
    gold = np.full(answers.n_tasks, -1)
    gold[list(truth)] = list(truth.values())
    on_gold = gold[answers.task] >= 0
    hits = np.bincount(answers.annotator[on_gold], minlength=answers.n_annotators)
    right = on_gold & (gold[answers.task] == answers.label)
    return is_proven(hits, np.bincount(answers.annotator[right], minlength=answers.n_annotators), floor=floor)


def _spam(answers: Answers, result: Aggregation, truth: dict[int, int]) -> npt.NDArray[np.float64]:
    """Return each annotator's probability of answering independently of the truth, shape (n_annotators,)."""
    counts = np.zeros((answers.n_annotators, answers.n_classes, answers.n_classes))  # (J, true, given)
    is_gold = np.zeros(answers.n_tasks, dtype=bool)
    is_gold[list(truth)] = True
    judged = is_gold[answers.task] | (answers.per_task[answers.task] > PEERS_TO_JUDGE)
    for task, annotator, label in zip(
        answers.task[judged], answers.annotator[judged], answers.label[judged], strict=True
    ):
        counts[annotator, :, label] += result.posterior[task]
    return spam_probability(counts)
