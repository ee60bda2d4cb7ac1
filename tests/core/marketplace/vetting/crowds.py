"""Generated crowds with a known truth."""

import numpy as np

from marketplace.core.aggregation import Answers


def crowd(
    rng: np.random.Generator,
    *,
    n_tasks: int = 200,
    n_annotators: int = 20,
    n_classes: int = 3,
    per_task: int = 5,
    accuracy: tuple[float, float] = (0.55, 0.95),
) -> tuple[Answers, np.ndarray, np.ndarray]:
    """Return answers, truth (n_tasks,) and each annotator's accuracy."""
    truth = rng.integers(n_classes, size=n_tasks)
    skill = rng.uniform(*accuracy, size=n_annotators)
    task = np.repeat(np.arange(n_tasks), per_task)
    annotator = np.concatenate([rng.permutation(n_annotators)[:per_task] for _ in range(n_tasks)])
    is_right = rng.random(len(task)) < skill[annotator]
    other = (truth[task] + rng.integers(1, max(n_classes, 2), size=len(task))) % n_classes
    label = np.where(is_right, truth[task], other)
    return Answers(task, annotator, label, n_tasks, n_annotators, n_classes), truth, skill
