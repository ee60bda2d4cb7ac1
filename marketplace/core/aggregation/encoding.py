"""From names to indices and back."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation.answers import Answers


@dataclass(frozen=True, eq=False)
class Encoded:
    """Answers with the names behind their indices."""

    answers: Answers
    tasks: tuple[Hashable, ...]
    annotators: tuple[Hashable, ...]
    classes: tuple[Hashable, ...]


def encode(
    rows: Iterable[tuple[Hashable, Hashable, Hashable]],
    *,
    classes: Sequence[Hashable] | None = None,
    tasks: Sequence[Hashable] = (),
    annotators: Sequence[Hashable] = (),
) -> Encoded:
    """Return indexed answers from (record, annotator, label) rows, in order of arrival.

    Parameters
    ----------
    rows
        One row an answer; when an annotator answers a record again, the later row wins.
    classes
        All classes in order; None takes those that occur, in order of first occurrence.
    tasks, annotators
        Names to index first, also those that never occur in ``rows``; further ones follow as they occur.

    Raises
    ------
    ValueError
        When a label is not among ``classes``, a name repeats in an argument, or no class is known at all.

    Examples
    --------
    >>> encode([("a", "ann", "cat"), ("a", "bob", "dog"), ("a", "ann", "dog")]).answers.votes.tolist()
    [[0.0, 2.0]]
    """
    task_index, annotator_index = _index("tasks", tasks), _index("annotators", annotators)
    class_index = _index("classes", classes or ())
    latest: dict[tuple[int, int], int] = {}
    for number, (task, annotator, label) in enumerate(rows):
        if classes is not None and label not in class_index:
            raise ValueError(f"row {number}: label {label!r} is not among the {len(class_index)} classes")
        pair = (
            task_index.setdefault(task, len(task_index)),
            annotator_index.setdefault(annotator, len(annotator_index)),
        )
        latest[pair] = class_index.setdefault(label, len(class_index))
    answers = Answers(
        np.array([pair[0] for pair in latest], dtype=np.int32),
        np.array([pair[1] for pair in latest], dtype=np.int32),
        np.array(list(latest.values()), dtype=np.int32),
        n_tasks=len(task_index),
        n_annotators=len(annotator_index),
        n_classes=len(class_index),
    )
    return Encoded(answers, tuple(task_index), tuple(annotator_index), tuple(class_index))


def _index(name: str, values: Sequence[Hashable]) -> dict[Hashable, int]:
    index = {value: position for position, value in enumerate(values)}
    if len(index) != len(values):
        raise ValueError(f"{name} repeat: {len(values)} given, {len(index)} distinct")
    return index
