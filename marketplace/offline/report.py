"""The quality report: what the answers are worth, in one HTML file without outside parts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.template.loader import render_to_string

from marketplace.core import agreement
from marketplace.core.acceptance import copies, is_constant, spam_probability
from marketplace.core.aggregation import Aggregation, aggregate
from marketplace.core.aggregation.answers import FloatArray
from marketplace.core.aggregation.rows import LARGEST_CONFUSION
from marketplace.offline.inputs import Table

N_RECORDS = 50
N_ANNOTATORS = 200
LEAST_FOR_SPAM = 20
"""Answers under which nobody is called a spammer."""


@dataclass(frozen=True, slots=True)
class Check:
    """How the answers alone, gold forgotten, do on the gold."""

    n: int
    accuracy: float
    confidence: float


def render(table: Table, result: Aggregation, skipped: list[str], remarks: list[str]) -> str:
    """Return the report as HTML."""
    shown = context(table, result, skipped) | {"remarks": remarks}
    return render_to_string("marketplace/aggregate_report.html", shown)


def context(table: Table, result: Aggregation, skipped: list[str]) -> dict[str, Any]:
    """Return what the report shows."""
    answers = table.answers
    return {
        "result": result,
        "n_answers": len(answers),
        "n_tasks": answers.n_tasks,
        "n_annotators": answers.n_annotators,
        "n_lone": int((answers.per_task == 1).sum()),
        "mean_confidence": float(result.confidence.mean()),
        "n_replaced": table.n_replaced,
        "n_tied": int(result.is_tied.sum()),
        "skipped": skipped[:100],
        "n_skipped": len(skipped),
        "n_gold": len(table.gold),
        "gold_check": _gold_check(table, result),
        "agreements": [agreement.krippendorff_alpha(answers), agreement.fleiss_kappa(answers)],
        "histogram": _histogram(result),
        "classes": _classes(table, result),
        "annotators": _annotators(table, result),
        "copies": _copies(table, result),
        "doubtful": _doubtful(table, result),
    }


def _gold_check(table: Table, result: Aggregation) -> Check | None:
    if not table.gold:
        return None
    blind = aggregate(table.answers, method=result.method)
    tasks = np.array(list(table.gold))
    right = blind.label[tasks] == np.array(list(table.gold.values()))
    return Check(len(tasks), float(right.mean()), float(blind.confidence[tasks].mean()))


def _histogram(result: Aggregation) -> list[dict[str, Any]]:
    edges = np.linspace(0, 1, 11)
    counts = np.histogram(result.confidence, edges)[0]
    highest = max(int(counts.max()), 1)
    return [
        {"low": 100 * low, "high": 100 * high, "n": int(n), "width": 100 * int(n) / highest}
        for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _classes(table: Table, result: Aggregation) -> list[dict[str, Any]]:
    """Return each class with its share and the class for which the crowd most often mistakes it."""
    confusion = result.pooled_confusion
    counts = np.bincount(result.label, minlength=len(table.classes))
    lines = []
    for index, name in enumerate(table.classes):
        mistakes = confusion[index].copy()
        mistakes[index] = 0
        rival = int(mistakes.argmax())
        lines.append(
            {
                "name": name,
                "n": int(counts[index]),
                "share": result.class_prior[index],
                "recognised": confusion[index, index],
                "rival": table.classes[rival] if mistakes[rival] > 0 else "",
                "rival_share": mistakes[rival],
            }
        )
    return lines


def _annotators(table: Table, result: Aggregation) -> list[dict[str, Any]]:
    """Return the annotators with the lowest upper bound first."""
    answers = table.answers
    spam = _spam(table, result)
    order = np.argsort(result.skill_high, kind="stable")[:N_ANNOTATORS]
    return [
        {
            "name": table.annotators[person],
            "skill": 100 * result.skill[person],
            "low": 100 * result.skill_low[person],
            "high": 100 * result.skill_high[person],
            "reach": 100 * (result.skill_high[person] - result.skill_low[person]),
            "n": int(answers.per_annotator[person]),
            "spam": spam[person],
            "is_constant": is_constant(answers.label[answers.annotator == person], result.class_prior),
        }
        for person in order
    ]


def _spam(table: Table, result: Aggregation) -> FloatArray:
    """Return each annotator's probability of answering blindly; 0 for few answers or too many classes to tell."""
    answers, size = table.answers, table.answers.n_classes
    if not _is_small(table):
        return np.zeros(answers.n_annotators)
    judged = result.posterior * (answers.per_task >= 3)[:, np.newaxis]
    counts = np.asarray(answers.design.T @ judged).reshape(answers.n_annotators, size, size).transpose(0, 2, 1)
    return np.where(counts.sum(axis=(1, 2)) >= LEAST_FOR_SPAM, spam_probability(counts), 0.0)


def _is_small(table: Table) -> bool:
    return table.answers.n_annotators * table.answers.n_classes**2 <= LARGEST_CONFUSION


def _copies(table: Table, result: Aggregation) -> list[dict[str, Any]]:
    if not _is_small(table):
        return []
    return [
        {"first": table.annotators[pair.first], "second": table.annotators[pair.second], "n": pair.n_shared}
        for pair in copies(table.answers, result)[:20]
    ]


def _doubtful(table: Table, result: Aggregation) -> list[dict[str, Any]]:
    order = np.argsort(result.confidence, kind="stable")[:N_RECORDS]
    votes = table.answers.votes
    return [
        {
            "task": table.tasks[task],
            "label": table.classes[result.label[task]],
            "confidence": result.confidence[task],
            "votes": ", ".join(f"{table.classes[k]}: {int(votes[task, k])}" for k in np.flatnonzero(votes[task])),
        }
        for task in order
    ]
