"""Generated crowds under stress: what the real sets at hand do not show, each for one reason.

Families: sparse (two answers a record), rare (a class of 1 in 50), clique (a third share one bias), classes (nine
classes, easy or hard), drift (half the crowd turns careless halfway), spam (all but a few guess).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.vetting.sets import Crowd
from marketplace.core.aggregation import Answers

Array = npt.NDArray[Any]


def _drawn(
    rng: np.random.Generator, truth: Array, chance: Array, per_task: int, n_classes: int, favourite: Array | None = None
) -> tuple[Array, Array, Array]:
    """Return task, annotator and label: annotators right by their chance, else wrong evenly or by their favourite."""
    n_tasks, n_annotators = len(truth), len(chance)
    task = np.repeat(np.arange(n_tasks), per_task)
    annotator = np.argsort(rng.random((n_tasks, n_annotators)), axis=1)[:, :per_task].ravel()
    is_right = rng.random(len(task)) < chance[annotator]
    wrong = (truth[task] + rng.integers(1, n_classes, size=len(task))) % n_classes
    if favourite is not None:
        wrong = np.where(favourite[annotator] >= 0, favourite[annotator], wrong)
    return task, annotator, np.where(is_right, truth[task], wrong)


def sparse(rng: np.random.Generator, n_classes: int = 3) -> Crowd:
    """Two answers a record, many annotators with few answers each."""
    truth = rng.integers(n_classes, size=2000)
    parts = _drawn(rng, truth, rng.beta(6, 2, size=150), 2, n_classes)
    return Crowd("sparse", Answers(*parts, 2000, 150, n_classes), truth)


def rare(rng: np.random.Generator, per_task: int = 3) -> Crowd:
    """One class in fifty, annotators who see it well or overlook it."""
    truth = (rng.random(3000) < 0.02).astype(int)
    sees, false_alarm = rng.uniform(0.5, 0.95, 40), rng.uniform(0.005, 0.08, 40)
    task, annotator, _ = _drawn(rng, truth, np.full(40, 1.0), per_task, 2)
    chance = np.where(truth[task] == 1, sees[annotator], false_alarm[annotator])
    label = (rng.random(len(task)) < chance).astype(int)
    return Crowd("rare", Answers(task, annotator, label, 3000, 40, 2), truth)


def clique(rng: np.random.Generator, share: float = 0.3, copied: float = 0.9) -> Crowd:
    """A third of the crowd copies one careless member on most records; the others are fair."""
    n_tasks, n_annotators, n_classes, per_task = 1000, 30, 4, 6
    truth = rng.integers(n_classes, size=n_tasks)
    task, annotator, label = _drawn(rng, truth, rng.uniform(0.6, 0.85, n_annotators), per_task, n_classes)
    source = np.where(rng.random(n_tasks) < 0.5, truth, rng.integers(n_classes, size=n_tasks))
    is_copy = (annotator < share * n_annotators) & (rng.random(len(task)) < copied)
    return Crowd(
        "clique",
        Answers(task, annotator, np.where(is_copy, source[task], label), n_tasks, n_annotators, n_classes),
        truth,
    )


def biased(rng: np.random.Generator, share: float = 0.4) -> Crowd:
    """Two in five annotators take one class for its neighbour, all alike: a shared misreading of the guideline."""
    n_tasks, n_annotators, n_classes, per_task = 1500, 40, 4, 5
    truth = rng.integers(n_classes, size=n_tasks)
    task, annotator, label = _drawn(rng, truth, rng.uniform(0.65, 0.92, n_annotators), per_task, n_classes)
    misreads = (annotator < share * n_annotators) & (truth[task] == 0) & (rng.random(len(task)) < 0.8)
    return Crowd(
        "biased", Answers(task, annotator, np.where(misreads, 1, label), n_tasks, n_annotators, n_classes), truth
    )


def classes(rng: np.random.Generator, *, is_easy: bool) -> Crowd:
    """Nine classes of uneven size, three answers a record (easy) or five by weak annotators (hard)."""
    n_classes = 9
    truth = rng.choice(n_classes, size=2500, p=rng.dirichlet(np.full(n_classes, 3.0)))
    chance = rng.uniform(0.75, 0.95, 60) if is_easy else rng.uniform(0.3, 0.75, 60)
    parts = _drawn(rng, truth, chance, 3 if is_easy else 5, n_classes)
    return Crowd("classes_easy" if is_easy else "classes_hard", Answers(*parts, 2500, 60, n_classes), truth)


def drift(rng: np.random.Generator) -> Crowd:
    """Half of the crowd turns careless halfway; the answers carry their times."""
    n_tasks, n_annotators, n_classes, per_task = 1500, 20, 3, 5
    truth = rng.integers(n_classes, size=n_tasks)
    task, annotator, label = _drawn(rng, truth, rng.uniform(0.7, 0.92, n_annotators), per_task, n_classes)
    is_careless = (annotator < n_annotators // 2) & (task >= n_tasks // 2)
    guess = rng.integers(n_classes, size=len(task))
    label = np.where(is_careless & (rng.random(len(task)) < 0.9), guess, label)
    answers = Answers(task, annotator, label, n_tasks, n_annotators, n_classes, at=task.astype(np.float64))
    return Crowd("drift", answers, truth)


def spam(rng: np.random.Generator, n_good: int = 6) -> Crowd:
    """Thirty annotators of whom all but a few guess or always give their favourite class."""
    n_tasks, n_annotators, n_classes, per_task = 800, 30, 3, 9
    truth = rng.integers(n_classes, size=n_tasks)
    chance = np.full(n_annotators, 1 / n_classes)
    chance[:n_good] = rng.uniform(0.85, 0.97, n_good)
    task, annotator, label = _drawn(rng, truth, chance, per_task, n_classes)
    is_constant = annotator % 3 == 2
    is_constant &= annotator >= n_good
    label = np.where(is_constant, annotator % n_classes, label)
    return Crowd("spam", Answers(task, annotator, label, n_tasks, n_annotators, n_classes), truth)


def families(seed: int) -> Iterator[Crowd]:
    """Return one crowd of each family."""
    makers: tuple[Callable[[np.random.Generator], Crowd], ...] = (
        sparse,
        rare,
        clique,
        biased,
        partial(classes, is_easy=True),
        partial(classes, is_easy=False),
        drift,
        spam,
    )
    for index, make in enumerate(makers):
        crowd = make(np.random.default_rng([seed, index]))
        yield Crowd(f"{crowd.name}-{seed}", crowd.answers, crowd.truth)
