"""An experiment's rows and array files as a selection problem."""

from typing import Any

import numpy as np

from curation.core import proxy
from curation.core.arrays import Asked
from curation.core.problem import Problem
from curation.models import Dataset, Experiment, Observation, Pick
from curation.services import designs, storage


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


def test_set_of(dataset: Dataset) -> tuple[Any, Any] | None:
    """Return a dataset's test features and labels, or None."""
    features = storage.load_array(dataset.storage_url, "test_features")
    labels = storage.load_array(dataset.storage_url, "test_labels")
    return None if features is None or labels is None else (np.asarray(features), np.asarray(labels))


def doubted(dataset: Dataset, asked: Asked, problem: Problem) -> list[str]:
    """Return the keys of the labels that models trained on the others doubt, at most a tenth of them, worst first."""
    is_labeled = asked.is_labeled
    rows = asked.rows[is_labeled]
    places = proxy.doubted(problem.scaled[rows], asked.labels[is_labeled], asked.weights[is_labeled], problem.n_classes)
    keys = storage.load_table(dataset.storage_url).keys
    return [keys[row] for row in rows[places]]
