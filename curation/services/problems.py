"""An experiment's rows and array files as a selection problem."""

from typing import Any

import numpy as np

from curation.core import large, proxy
from curation.core.arrays import Asked, IntArray
from curation.core.problem import Problem
from curation.models import Dataset, Experiment, Observation, Pick
from curation.models.experiments import ExperimentKind
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
        metadata=designs.columns_of(wanted, storage.load_table(url).metadata) if wanted is not None else {},
        class_names=experiment.classes,
    )


def large_task_of(experiment: Experiment, asked: Asked) -> large.Task | None:
    """Return the next batch of an experiment on a pool too large to compare all rows.

    None where it is small, where the customer chooses, or where metadata is weighed, which needs all rows.
    """
    url = experiment.dataset.storage_url
    pool = sharded.pool_of(url)
    by_other_means = experiment.kind == ExperimentKind.MANUAL or designs.wishes_of(experiment) is not None
    if pool is None or len(pool) <= large.LARGE or by_other_means:
        return None
    return large.Task(
        pool=pool,
        asked=asked,
        n_classes=len(experiment.classes),
        rules=designs.rules_of(experiment),
        n_picks=experiment.batch_size,
        control_ratio=experiment.control_ratio,
        seed=experiment.seed,
        anchor=storage.load_array(url, "anchor_features"),
        anchor_labels=storage.load_array(url, "anchor_labels"),
    )


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
    return Problem(task.pool.rows(rows), here, task.n_classes, task.anchor, task.anchor_labels, task.seed), rows


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
