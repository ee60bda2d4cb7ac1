"""The annotations of a job as arrays for truth inference, and the way back from indices to rows."""

import uuid
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.core.acceptance import spam_probability
from marketplace.core.aggregation import Aggregation, Answers, aggregate
from marketplace.core.overlap import answered_by_proven, is_proven
from marketplace.models import Annotation, GoldRecord, Job

PEERS_TO_JUDGE = 2
"""Other answers a record needs before it tells anything about an annotator's confusion."""


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that counts."""

    annotation_id: uuid.UUID
    assignment_id: uuid.UUID
    record_id: uuid.UUID | None
    gold_id: uuid.UUID | None
    annotator: int
    vendor_id: uuid.UUID
    label: int
    reason: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """All answers of a job with what truth inference makes of them; class ``n_classes - 1`` is "cannot label"."""

    given: list[Given]
    task_of: dict[uuid.UUID, int]
    gold_label: dict[uuid.UUID, int]
    result: Aggregation
    n_classes: int
    spam: npt.NDArray[np.float64]
    is_proven: npt.NDArray[np.bool_]

    def class_of(self, label: int) -> int:
        """Return the class index of a stored label (-1 = "cannot label" comes last)."""
        return label if label >= 0 else self.n_classes - 1

    def posterior(self, record_id: uuid.UUID) -> npt.NDArray[np.float64]:
        """Return the belief about a record, shape (n_classes,)."""
        return self.result.posterior[self.task_of[record_id]]

    def n_answers(self, record_id: uuid.UUID) -> int:
        """Return how many answers a record has."""
        return int(self.result.n_answers[self.task_of[record_id]])

    def has_proven_answer(self, record_id: uuid.UUID) -> bool:
        """Return whether an annotator proven on gold answered a record, so that one answer may be enough."""
        return bool(self.is_proven[self.task_of[record_id]])

    def proba_right(self, given: Given) -> float:
        """Return the posterior of an answer on a record; NaN when nobody else answered it."""
        if given.record_id is None:
            raise ValueError("gold answers are right or wrong, not probable")
        if self.n_answers(given.record_id) < PEERS_TO_JUDGE:
            return float("nan")
        return float(self.posterior(given.record_id)[self.class_of(given.label)])

    def is_gold_correct(self, given: Given) -> bool:
        """Return whether an answer on a gold record is right."""
        return given.gold_id is not None and self.gold_label[given.gold_id] == given.label

    def main_reason(self, record_id: uuid.UUID) -> str:
        """Return why a record cannot be labeled, by most answers (the first given of equals)."""
        reasons = Counter(g.reason for g in self.given if g.record_id == record_id and g.label < 0)
        return reasons.most_common(1)[0][0] if reasons else ""


def of_job(job: Job) -> Evidence:
    """Return the evidence of a job in three queries; answers of rejected work are left out.

    Answers of one vendor's annotators are told apart by the names the vendor gives them.
    """
    rows = Annotation.objects.filter(job=job, is_current=True).order_by("pk")
    columns = rows.values_list(
        "pk", "assignment_id", "record_id", "gold_id", "vendor_id", "annotator", "label", "reason"
    )
    annotators: dict[tuple[uuid.UUID, str], int] = {}
    given = [
        Given(pk, assignment, record, gold, annotators.setdefault((vendor, name), len(annotators)), vendor, label, why)
        for pk, assignment, record, gold, vendor, name, label, why in columns
    ]
    gold_label = dict(GoldRecord.objects.filter(job=job).values_list("pk", "label"))
    n_classes = len(job.label_schema.classes) + 1
    task_of: dict[uuid.UUID, int] = {}
    for record_id in job.records.order_by("pk").values_list("pk", flat=True):
        task_of[record_id] = len(task_of)
    for gold_id in sorted(gold_label):
        task_of[gold_id] = len(task_of)
    answers = _answers(given, task_of, len(annotators), n_classes)
    truth = {task_of[g]: label if label >= 0 else n_classes - 1 for g, label in gold_label.items()}
    result = aggregate(answers, gold=truth)
    proven = answered_by_proven(answers, _proven_annotators(answers, truth, job.target_confidence))
    return Evidence(given, task_of, gold_label, result, n_classes, _spam(answers, result, truth), proven)


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
    )


def _proven_annotators(answers: Answers, truth: dict[int, int], floor: float) -> npt.NDArray[np.bool_]:
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
