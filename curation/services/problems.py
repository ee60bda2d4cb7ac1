"""An experiment's rows and array files as a selection problem."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from curation.core import crowd, large, portfolio, proxy, reasons, subpool
from curation.core.arrays import Asked, IntArray
from curation.core.composition import Composition
from curation.core.portfolio import Reward, Turn
from curation.core.problem import Problem, Said
from curation.core.strategies import drawing
from curation.models import Dataset, Experiment, Observation, Pick
from curation.services import designs, sharded, storage

SCALE_SAMPLE = 20_000
"""Rows of a large pool that tell its scale."""


def asked_of(experiment: Experiment) -> Asked:
    """Return what is known of every row picked so far; a pick without an answer counts as asked, with weight 0."""
    picked = list(
        Pick.objects.filter(experiment=experiment).order_by("round__number", "rank").values_list("row", flat=True)
    )
    seen = {o.row: o for o in Observation.objects.filter(experiment=experiment)}
    rows = picked + sorted(set(seen).difference(picked))
    labels = [-1 if row not in seen or seen[row].label is None else seen[row].label for row in rows]
    weights = [seen[row].confidence if row in seen else 0.0 for row in rows]
    return Asked(np.array(rows, dtype=np.int64), np.array(labels, dtype=np.int64), np.array(weights, dtype=float))


def rows_of(experiment: Experiment, keys: Sequence[str]) -> dict[str, int]:
    """Return the pool rows of records by key; one that is not in the dataset is left out."""
    rows = dict(Pick.objects.filter(experiment=experiment, key__in=keys).values_list("key", "row"))
    missing = set(keys).difference(rows)
    if missing:
        table = storage.load_table(experiment.dataset.storage_url)
        rows |= {key: row for row, key in enumerate(table.keys) if key in missing}
    return rows


def annotators_of(experiment: Experiment, others: Iterable[str] = ()) -> list[str]:
    """Return everybody who answered records or gold of an experiment, and others, by name; the order numbers them."""
    given = Observation.objects.filter(experiment=experiment).exclude(answers=[]).values_list("answers", flat=True)
    return sorted({*others, *experiment.gold_counts, *(name for answers in given for name, _ in answers)})


def said_of(experiment: Experiment, asked: Asked, others: Iterable[str] = ()) -> Said | None:
    """Return who said what of the asked rows; None where nobody's answers are known.

    Annotators are numbered in the order of :func:`annotators_of`, ``others`` that have not answered yet among them.
    """
    place_of = {int(row): place for place, row in enumerate(asked.rows)}
    number_of = {name: number for number, name in enumerate(annotators_of(experiment, others))}
    given = Observation.objects.filter(experiment=experiment).exclude(answers=[]).order_by("row")
    said = [
        (place_of[row], number_of[name], label)
        for row, answers in given.values_list("row", "answers")
        for name, label in answers
    ]
    if not said:
        return None
    n_classes = len(experiment.classes)
    gold = np.zeros((len(number_of), n_classes, n_classes))
    for name, counts in experiment.gold_counts.items():
        gold[number_of[name], : len(counts), : len(counts)] = counts  # fewer, where classes were appended since
    return Said(crowd.Answers(*np.array(said, dtype=np.int64).T), gold)


def turns_of(experiment: Experiment) -> list[Turn]:
    """Return the rounds in which an arm was drawn, in order, with what each brought once it is evaluated."""
    if all(rule.strategy != drawing.NAME for rule in designs.rules_of(experiment)):
        return []
    picks = Pick.objects.filter(experiment=experiment).select_related("round").order_by("round__number", "rank")
    found = []
    for _, of_round in itertools.groupby(picks, key=lambda pick: pick.round_id):
        rows = list(of_round)
        brought = (rows[0].round.metrics or {}).get("turn")
        told = [reasons.Pick(p.row, p.arm, p.propensity, p.utility, p.parts, p.words) for p in rows]
        found += [
            replace(turn, reward=None if brought is None else Reward(**brought)) for turn in drawing.turns_of([told])
        ]
    return found


def problem_of(experiment: Experiment, asked: Asked) -> Problem:
    """Return the selection problem of an experiment as it stands."""
    wanted = designs.wishes_of(experiment)
    url = experiment.dataset.storage_url
    features = storage.load_array(url, "features")
    if features is None:
        features = np.zeros((experiment.dataset.n_records, 1), dtype=np.float32)
    return Problem(
        X=np.asarray(features),
        asked=asked,
        n_classes=len(experiment.classes),
        anchor=storage.load_array(url, "anchor_features"),
        anchor_labels=storage.load_array(url, "anchor_labels"),
        seed=experiment.seed,
        composition=wanted,
        metadata=_metadata_of(experiment.dataset, wanted),
        class_names=experiment.classes,
        said=said_of(experiment, asked),
        turns=turns_of(experiment),
        trusts_anchor=experiment.trusts_anchor,
    )


def large_task_of(experiment: Experiment, asked: Asked) -> subpool.Task | None:
    """Return the next batch of an experiment on a pool too large to compare all rows.

    None where it is small.
    """
    url = experiment.dataset.storage_url
    pool = sharded.pool_of(url)
    if pool is None or len(pool) <= large.LARGE:
        return None
    wanted = designs.wishes_of(experiment)
    return subpool.Task(
        pool=pool,
        asked=asked,
        n_classes=len(experiment.classes),
        rules=designs.rules_of(experiment),
        n_picks=experiment.batch_size,
        control_ratio=experiment.control_ratio,
        seed=experiment.seed,
        anchor=storage.load_array(url, "anchor_features"),
        anchor_labels=storage.load_array(url, "anchor_labels"),
        metadata=_metadata_of(experiment.dataset, wanted),
        composition=wanted,
        class_names=experiment.classes,
        said=said_of(experiment, asked),
        turns=turns_of(experiment),
        trusts_anchor=experiment.trusts_anchor,
    )


def _metadata_of(dataset: Dataset, wanted: Composition | None) -> dict[str, Any]:
    """Return the metadata columns that a configuration reads, of all records."""
    return {} if wanted is None else designs.columns_of(wanted, storage.load_table(dataset.storage_url).metadata)


def training_problem_of(experiment: Experiment, asked: Asked) -> tuple[Problem, IntArray]:
    """Return what a round's model is trained on, and the pool rows behind its rows.

    Of a large pool that is what was asked and a sample that tells its scale; of others, all of it.
    """
    task = large_task_of(experiment, asked)
    if task is None:
        return problem_of(experiment, asked), np.arange(experiment.dataset.n_records)
    some = np.random.default_rng(experiment.seed).choice(
        len(task.pool), min(SCALE_SAMPLE, len(task.pool)), replace=False
    )
    rows = np.union1d(some, asked.rows)
    here = Asked(np.searchsorted(rows, asked.rows), asked.labels, asked.weights)
    problem = Problem(
        X=task.pool.rows(rows),
        asked=here,
        n_classes=task.n_classes,
        anchor=task.anchor,
        anchor_labels=task.anchor_labels,
        seed=task.seed,
        said=task.said,
        turns=portfolio.among(task.turns, rows),
        trusts_anchor=task.trusts_anchor,
    )
    return problem, rows


def test_set_of(dataset: Dataset) -> tuple[Any, Any] | None:
    """Return a dataset's test features and labels, or None."""
    features = storage.load_array(dataset.storage_url, "test_features")
    labels = storage.load_array(dataset.storage_url, "test_labels")
    return None if features is None or labels is None else (np.asarray(features), np.asarray(labels))


def doubted(dataset: Dataset, problem: Problem, pool_rows: IntArray) -> list[str]:
    """Return the keys of the labels that models trained on the others doubt, worst first; ``pool_rows`` as above."""
    asked = problem.asked
    rows = asked.rows[asked.is_labeled]
    places = proxy.doubted(
        problem.scaled[rows], asked.labels[asked.is_labeled], asked.weights[asked.is_labeled], problem.n_classes
    )
    keys = storage.load_table(dataset.storage_url).keys
    return [keys[row] for row in pool_rows[rows[places]]]
