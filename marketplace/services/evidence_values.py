"""The evidence of task types whose labels are values: clusters of answers that say the same, copies left out."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from marketplace.core import kinds
from marketplace.core.acceptance import Equal, equal_answers, spam_by_chance
from marketplace.core.aggregation.structured import multilabel
from marketplace.core.checks import Rules
from marketplace.core.kinds import Kind
from marketplace.core.open_truth import OpenAnswer, OpenTruth, infer
from marketplace.core.overlap import is_proven
from marketplace.models import GoldRecord, Job, JobRecord
from marketplace.services import conduct, suggestions
from marketplace.services.beliefs import Given, ValueEvidence
from marketplace.services.readings import CANNOT_LABEL

Spot = tuple[int, str]


def of_values(
    job: Job, given: list[Given], task_of: dict[uuid.UUID, int], gold: dict[uuid.UUID, GoldRecord], n_annotators: int
) -> ValueEvidence:
    """Return the evidence in answers, given the places of their records and the gold among them."""
    schema, kind = job.label_schema, kinds.get(job.label_schema.task_type)
    facts = _metadata(task_of, gold)
    rules = [schema.rules_for(facts[pk]) for pk in task_of]
    known = {task_of[pk]: None if row.label == CANNOT_LABEL else row.value for pk, row in gold.items()}
    tasks = [task_of[g.record_id or g.gold_id] for g in given]  # type: ignore[index]
    equal = _copies(suggestions.without(job, given), task_of, kind, rules)
    place, answers = _independent(given, tasks, equal)
    merged = _by_class(answers, rules, known, n_annotators) if schema.task_type == "multilabel" else None
    truth = infer(answers, kind, rules, n_annotators=n_annotators, gold=known, merged=merged)
    equal += _copied_errors(given, tasks, truth, place, kind)
    chance = float(np.mean([kind.chance(one) for one in rules])) if rules else 0.0
    spam = spam_by_chance(truth.right, truth.judged, chance)
    proven = _proven(answers, truth.proba_right, set(known), n_annotators, job.target_confidence)
    is_answered_so = np.zeros(len(task_of), dtype=np.bool_)
    is_answered_so[[answer.task for answer in answers if proven[answer.annotator]]] = True
    seen = conduct.seen(given, equal)
    return ValueEvidence(given, task_of, truth.n_answers, spam, is_answered_so, seen, truth, place)


def _by_class(
    answers: Sequence[OpenAnswer], rules: Sequence[Rules], known: Mapping[int, Any], n_annotators: int
) -> dict[int, tuple[list[int], float]]:
    """Return the classes of each answered record, inferred for each class on its own, and how sure all of them are.

    Whoever overlooks one class keeps the trust in the others. A set that breaks the customer's counts is left to the
    vote of those who kept them.
    """
    given = [answer for answer in answers if answer.value is not None]
    if not given:
        return {}
    found = multilabel.consensus(
        [answer.task for answer in given],
        [answer.annotator for answer in given],
        [answer.value for answer in given],
        n_tasks=len(rules),
        n_annotators=n_annotators,
        n_classes=len(rules[0].schema["classes"]),
        gold={task: value for task, value in known.items() if value is not None},
    )
    schema = rules[0].schema
    least, most = schema.get("min_count", 0), schema.get("max_count", len(schema["classes"]))
    labels, sure = found.labels, found.confidence
    tasks = {answer.task for answer in given}
    return {task: (labels[task], float(sure[task])) for task in tasks if least <= len(labels[task]) <= most}


def _metadata(task_of: Mapping[uuid.UUID, int], gold: Mapping[uuid.UUID, GoldRecord]) -> dict[uuid.UUID, Any]:
    """Return the metadata of every record: what its answers are read by."""
    facts: dict[uuid.UUID, Any] = {pk: row.metadata for pk, row in gold.items()}
    records = JobRecord.objects.filter(pk__in=[pk for pk in task_of if pk not in gold])
    return facts | dict(records.values_list("pk", "metadata"))


def _copies(
    given: Sequence[Given], task_of: Mapping[uuid.UUID, int], kind: Kind, rules: Sequence[Rules]
) -> list[Equal]:
    """Return who gave answers at which nobody arrives twice after somebody else had given them; gold left out."""
    return equal_answers(
        [
            (task_of[g.record_id], g.annotator, conduct.code_of(g))
            for g in given
            if g.record_id is not None and g.value is not None and kind.is_telling(g.value, rules[task_of[g.record_id]])
        ]
    )


def _independent(
    given: Sequence[Given], tasks: Sequence[int], equal: Sequence[Equal]
) -> tuple[dict[uuid.UUID, int], list[OpenAnswer]]:
    """Return where each answer stands, and the answers; a copy stands where its original does."""
    sources = {(pair.later, pair.first) for pair in equal}
    said: dict[Spot, list[tuple[int, int]]] = {}
    place: dict[uuid.UUID, int] = {}
    answers: list[OpenAnswer] = []
    for g, task in zip(given, tasks, strict=True):
        before = said.setdefault((task, conduct.code_of(g)), [])
        original = next((number for who, number in before if (g.annotator, who) in sources), None)
        if original is None:
            original = len(answers)
            answers.append(OpenAnswer(task, g.annotator, None if g.label == CANNOT_LABEL else g.value))
            before.append((g.annotator, original))
        place[g.annotation_id] = original
    return place, answers


def _copied_errors(
    given: Sequence[Given], tasks: Sequence[int], truth: OpenTruth, place: Mapping[uuid.UUID, int], kind: Kind
) -> list[Equal]:
    """Return who made mistakes that nobody makes twice after somebody else had made them."""
    return equal_answers(
        [
            (task, g.annotator, conduct.code_of(g))
            for g, task in zip(given, tasks, strict=True)
            if g.record_id is not None
            and g.value is not None
            and truth.proba_right[place[g.annotation_id]] < 0.5
            and kind.is_telling_error(g.value)
        ]
    )


def _proven(
    answers: Sequence[OpenAnswer], proba: npt.NDArray[np.float64], gold: set[int], n_annotators: int, floor: float
) -> npt.NDArray[np.bool_]:
    """Return which annotators have shown on gold that they are as accurate as the job asks, shape (n_annotators,)."""
    on_gold = [number for number, answer in enumerate(answers) if answer.task in gold]
    annotator = np.array([answers[number].annotator for number in on_gold], dtype=np.int64)
    hits = np.bincount(annotator, minlength=n_annotators)
    return is_proven(hits, np.bincount(annotator, proba[on_gold], minlength=n_annotators), floor=floor)
