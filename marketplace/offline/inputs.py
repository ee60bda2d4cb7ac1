"""Answers and gold from files, checked row by row."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common import rows
from marketplace.core.aggregation import Answers

Step = Callable[[int], None]


@dataclass(slots=True)
class Problems:
    """Bad rows found so far, in order."""

    found: list[str] = field(default_factory=list)

    def add(self, path: Path, number: int, detail: str) -> None:
        """Remember one bad row."""
        self.found.append(f"{path.name}, row {number}: {detail}")


@dataclass(frozen=True, eq=False)
class Table:
    """Answers with their names and what was noticed on the way.

    Names are indexed in sorted order, so that the order of rows changes no result; ``task_order`` and
    ``annotator_order`` list the indices in order of first occurrence, for the output. ``n_untimed`` counts the answers
    without a time in a file in which others have one: times are then not used.
    """

    answers: Answers
    tasks: list[str]
    annotators: list[str]
    task_order: list[int]
    annotator_order: list[int]
    classes: list[str]
    gold: dict[int, int]
    n_replaced: int
    n_untimed: int = 0


def _names(values: Sequence[Any], columns: Sequence[str]) -> list[str]:
    names = []
    for value, column in zip(values, columns, strict=True):
        try:
            names.append(rows.as_name(value))
        except ValueError as error:
            raise ValueError(f"{column} {error}") from error
    return names


@dataclass(slots=True)
class _Builder:
    """Indices of names as they occur."""

    classes: dict[str, int]
    is_open: bool
    tasks: dict[str, int] = field(default_factory=dict)
    annotators: dict[str, int] = field(default_factory=dict)
    columns: tuple["array[int]", ...] = field(default_factory=lambda: (array("i"), array("i"), array("i")))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    is_closed: bool = False

    def class_of(self, label: str) -> int:
        """Return the class index; ValueError for a class that is not on a closed list."""
        if label not in self.classes and not self.is_open:
            raise ValueError(f"label {label[:40]!r} is not one of the {len(self.classes)} classes")
        return self.classes.setdefault(label, len(self.classes))

    def add(self, task: str, annotator: str, label: str, at: float) -> None:
        """Append one answer; ``at`` NaN where its time is unknown."""
        index = self.class_of(label)
        if self.is_closed and task not in self.tasks:
            raise ValueError(f"task {task[:60]!r} is not one of the {len(self.tasks)} records")
        self.times.append(at)
        self.columns[0].append(self.tasks.setdefault(task, len(self.tasks)))
        self.columns[1].append(self.annotators.setdefault(annotator, len(self.annotators)))
        self.columns[2].append(index)

    def add_gold(self, known: dict[int, int], task: str, label: str) -> None:
        """Enter one gold label; ValueError when the record is unknown or known otherwise."""
        if task not in self.tasks:
            why = f"is not one of the {len(self.tasks)} records" if self.is_closed else "has no answers"
            raise ValueError(f"task {task[:60]!r} {why}")
        index = self.class_of(label)
        if known.setdefault(self.tasks[task], index) != index:
            raise ValueError(f"task {task[:60]!r} has two gold labels")


def load(
    path: Path,
    gold_path: Path | None,
    classes: Sequence[str] | None,
    problems: Problems,
    step: Step = lambda _: None,
    records_path: Path | None = None,
) -> Table:
    """Return the answers (columns task, annotator, label and, where there is one, at) and the gold of two files.

    Parameters
    ----------
    path, gold_path
        CSV or Parquet; gold has the columns task and label.
    records_path
        CSV or Parquet with the column task: the records there are. Answers for others are bad rows; records without
        answers get a label too, at the confidence of a guess.
    classes
        The closed list of classes; None takes those that occur.
    problems
        Receives each bad row; the row is left out.
    step
        Called with the number of rows read so far, now and then.

    Raises
    ------
    rows.FileError
        When a file cannot be read at all.
    """
    builder = _Builder({name: index for index, name in enumerate(classes or ())}, is_open=classes is None)
    if records_path is not None:
        _add_records(builder, records_path, problems)
    columns = ("task", "annotator", "label")
    for count, (number, values) in enumerate(rows.read(path, columns, ("at",))):
        try:
            task, annotator, label = _names(values[:3], columns)
            builder.add(task, annotator, label, _time(values[3]))
        except ValueError as error:
            problems.add(path, number, str(error))
        if count % 50_000 == 0:
            step(count)
    gold: dict[int, int] = {}
    if gold_path is not None:
        for number, values in rows.read(gold_path, ("task", "label")):
            try:
                builder.add_gold(gold, *_names(values, ("task", "label")))
            except ValueError as error:
                problems.add(gold_path, number, str(error))
    return _finished(path, builder, gold)


def _add_records(builder: _Builder, path: Path, problems: Problems) -> None:
    for number, values in rows.read(path, ("task",)):
        try:
            [task] = _names(values, ("task",))
            if task in builder.tasks:
                raise ValueError(f"task {task[:60]!r} is listed twice")
            builder.tasks[task] = len(builder.tasks)
        except ValueError as error:
            problems.add(path, number, str(error))
    builder.is_closed = True


def _time(value: Any) -> float:
    """Return a time, NaN where there is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return float("nan")
    try:
        return rows.as_time(value)
    except ValueError as error:
        raise ValueError(f"at {error}") from error


def _finished(path: Path, builder: _Builder, gold: dict[int, int]) -> Table:
    task, annotator, label = (np.frombuffer(column, dtype=np.int32) for column in builder.columns)
    if not len(task):
        raise rows.FileError(f"{path}: no usable answer")
    new_task, new_annotator = _sorted_index(builder.tasks), _sorted_index(builder.annotators)
    new_class = _sorted_index(builder.classes) if builder.is_open else np.arange(len(builder.classes))
    times = np.frombuffer(builder.times, dtype=np.float64)
    is_untimed = np.isnan(times)
    answers = Answers.keep_last(
        new_task[task],
        new_annotator[annotator],
        new_class[label],
        n_tasks=len(builder.tasks),
        n_annotators=len(builder.annotators),
        n_classes=len(builder.classes),
        at=None if is_untimed.any() else times,
    )
    n_replaced = len(task) - len(answers)
    return Table(
        answers=answers,
        tasks=sorted(builder.tasks),
        annotators=sorted(builder.annotators),
        task_order=new_task.tolist(),
        annotator_order=new_annotator.tolist(),
        classes=sorted(builder.classes) if builder.is_open else list(builder.classes),
        gold={int(new_task[known]): int(new_class[value]) for known, value in gold.items()},
        n_replaced=n_replaced,
        n_untimed=0 if is_untimed.all() else int(is_untimed.sum()),
    )


def _sorted_index(names: dict[str, int]) -> npt.NDArray[np.intp]:
    """Return the sorted position of each name, in order of first occurrence."""
    position = {name: index for index, name in enumerate(sorted(names))}
    return np.array([position[name] for name in names], dtype=np.intp)
