"""The result files; each appears whole or not at all."""

import csv
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from marketplace.core.aggregation import Aggregation
from marketplace.offline.inputs import Table


def write_all(out: Path, files: dict[str, str]) -> None:
    """Write all texts next to their places first, then move each there; ``out`` is created where missing."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".aggregate-", dir=out) as staging:
        for name, text in files.items():
            (Path(staging) / name).write_text(text, encoding="utf-8", newline="")
        for name in files:
            os.replace(Path(staging) / name, out / name)


def labels_csv(table: Table, result: Aggregation) -> str:
    """Return task,label,confidence in the order of first occurrence."""
    rows = (
        (table.tasks[task], table.classes[result.label[task]], f"{result.confidence[task]:.6f}")
        for task in table.task_order
    )
    return _csv(("task", "label", "confidence"), rows)


def annotators_csv(table: Table, result: Aggregation) -> str:
    """Return annotator,skill,skill_low,skill_high,answers in the order of first occurrence."""
    figures = np.column_stack([result.skill, result.skill_low, result.skill_high])
    rows = (
        (table.annotators[person], *(f"{value:.6f}" for value in figures[person]), table.answers.per_annotator[person])
        for person in table.annotator_order
    )
    return _csv(("annotator", "skill", "skill_low", "skill_high", "answers"), rows)


class _Lines(list[str]):
    """What ``csv.writer`` writes to."""

    def write(self, line: str) -> None:
        self.append(line)


def _csv(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return "".join(lines)
