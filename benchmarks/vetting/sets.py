"""Crowds to measure on: real sets from a folder, generated ones, and sparse cuts of either."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from marketplace.core.aggregation import Answers, encode

SMALL_GOLD = 150
"""Sets with less gold are reported but kept out of the means: one standard error is 4 points or more."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """Answers with a known truth, -1 where unknown, shape (n_tasks,)."""

    name: str
    answers: Answers
    truth: npt.NDArray[Any]
    is_solid: bool = True


def load(folder: Path) -> list[Crowd]:
    """Return every ``NAME.csv`` (task,worker,label) of the folder that has a ``NAME.truth.csv`` (task,truth)."""
    return [_load_one(path) for path in sorted(folder.glob("*.truth.csv"))]


def _load_one(path: Path) -> Crowd:
    name = path.name.removesuffix(".truth.csv")
    with path.open(newline="") as file:
        gold = {row["task"]: row["truth"] for row in csv.DictReader(file)}
    with (path.parent / f"{name}.csv").open(newline="") as file:
        rows = [(row["task"], row["worker"], row["label"]) for row in csv.DictReader(file)]
    classes = sorted({label for _, _, label in rows} | set(gold.values()))
    encoded = encode(rows, classes=classes)
    truth = np.array([classes.index(gold[task]) if task in gold else -1 for task in encoded.tasks])
    return Crowd(name, encoded.answers, truth, is_solid=len(gold) >= SMALL_GOLD or name == "bluebird")


def thinned(crowd: Crowd, per_task: int, seed: int) -> Crowd:
    """Return the crowd with at most so many answers a record, drawn at random."""
    rng = np.random.default_rng(seed)
    answers = crowd.answers
    order = np.lexsort((rng.random(len(answers)), answers.task))
    starts = np.concatenate([[0], np.cumsum(answers.per_task)[:-1]])
    rank = np.arange(len(answers)) - starts[answers.task[order]]
    kept = order[rank < per_task]
    return Crowd(f"{crowd.name}/{per_task}", subset(answers, kept), crowd.truth, crowd.is_solid)


def subset(answers: Answers, kept: npt.NDArray[Any]) -> Answers:
    """Return only some of the answers, the indices unchanged."""
    return Answers(
        answers.task[kept],
        answers.annotator[kept],
        answers.label[kept],
        answers.n_tasks,
        answers.n_annotators,
        answers.n_classes,
    )


def generated(seed: int = 0) -> Iterator[Crowd]:
    """Return generated crowds: classes x answers a record x what goes wrong."""
    for n_classes in (2, 4, 10):
        for per_task in (3, 7):
            for kind in ("independent", "biased", "spammers", "hard_records", "confounded", "imbalanced"):
                rng = np.random.default_rng([seed, n_classes, per_task, len(kind)])
                yield _generate(rng, kind, n_classes, per_task)


def _generate(rng: np.random.Generator, kind: str, n_classes: int, per_task: int) -> Crowd:
    n_tasks, n_annotators = 800, 40
    shares = rng.dirichlet(np.full(n_classes, 0.7 if kind == "imbalanced" else 20.0))
    truth = rng.choice(n_classes, size=n_tasks, p=shares)
    confusion = _confusion(rng, kind, n_classes, n_annotators)
    task = np.repeat(np.arange(n_tasks), per_task)
    annotator = np.concatenate([rng.choice(n_annotators, per_task, replace=False) for _ in range(n_tasks)])
    seen = _what_they_see(rng, kind, truth, n_classes, task, annotator)
    cumulative = confusion[annotator, seen].cumsum(axis=1)
    label = np.minimum((rng.random(len(task))[:, np.newaxis] > cumulative).sum(axis=1), n_classes - 1)
    answers = Answers(task, annotator, label.astype(np.int32), n_tasks, n_annotators, n_classes)
    return Crowd(f"{kind}-{n_classes}-{per_task}", answers, truth)


def _confusion(rng: np.random.Generator, kind: str, n_classes: int, n_annotators: int) -> npt.NDArray[Any]:
    """Return error rows per annotator, shape (n_annotators, n_classes, n_classes)."""
    skill = rng.beta(6, 2, size=n_annotators)
    if kind == "spammers":
        skill[: n_annotators // 4] = 1 / n_classes
    errors = rng.dirichlet(np.full(n_classes, 0.3 if kind == "biased" else 5.0), size=(n_annotators, n_classes))
    share = skill[:, np.newaxis, np.newaxis]
    return np.asarray(share * np.eye(n_classes) + (1 - share) * errors)


def _what_they_see(
    rng: np.random.Generator,
    kind: str,
    truth: npt.NDArray[Any],
    n_classes: int,
    task: npt.NDArray[Any],
    annotator: npt.NDArray[Any],
) -> npt.NDArray[Any]:
    """Return the class that each answer is about, shape (n,): hard records mislead, some follow another attribute."""
    decoy = rng.integers(n_classes, size=len(truth))
    if kind == "hard_records":
        is_hard = rng.random(len(truth)) < 0.2
        return np.where(is_hard[task] & (rng.random(len(task)) < 0.5), decoy[task], truth[task])
    if kind == "confounded":
        return np.where((annotator % 10 < 3) & (rng.random(len(task)) < 0.6), decoy[task], truth[task])
    return np.asarray(truth[task])
