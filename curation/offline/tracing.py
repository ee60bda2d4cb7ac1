"""From a training log to what it tells: the steps of ``manage.py trajectories``, each told as it begins."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import rows
from common.rows import FileError
from curation.core import forgetting
from curation.core.arrays import FloatArray, IntArray
from curation.core.forgetting import Change, Curves
from curation.core.trajectories import Dynamics, Trajectories
from curation.offline import training_log
from curation.offline.training_log import Log

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for."""

    log: Path
    split: str = "train"
    slices: Path | None = None
    skip_bad: bool = False


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of records, how each fared, and their accuracy by epoch, shape (groups, epochs).

    Attributes
    ----------
    names
        Names of the groups.
    group
        The group of each record, shape (n,); below 0: of none.
    changes
        The surest drop first; empty where the training is too short.
    """

    names: list[str]
    group: IntArray
    changes: list[Change]
    curves: FloatArray

    @property
    def forgotten(self) -> list[Change]:
        """Groups that are surely known less than they were."""
        return [one for one in self.changes if one.is_forgotten]


@dataclass(frozen=True, eq=False)
class Traced:
    """What a log tells."""

    request: Request
    log: Log
    found: Trajectories
    span_of: IntArray
    classes: Grouping
    slices: Grouping | None

    def epochs_of(self, span: int) -> tuple[int, int]:
        """Return the first and the last epoch of a span."""
        places = np.flatnonzero(self.span_of == span)
        return self.log.epochs[places[0]], self.log.epochs[places[-1]]


def trace(request: Request, step: Step) -> Traced:
    """Return what a log tells of a split's labeled records; nothing is written.

    Raises
    ------
    FileError
        When the log or the slices cannot be used.
    """
    step("Checking the log")
    log = training_log.load(request.log, request.split, skip_bad=request.skip_bad)
    names, slice_of = _slices(request.slices, log)
    dynamics = Dynamics(len(log.keys), log.epochs)
    curves, by_slice = Curves(len(log.classes), len(log.epochs)), Curves(len(names), len(log.epochs))
    for number, epoch in log.read():
        step(f"Following {len(log.keys):,} records: epoch {number}")
        place = dynamics.add(number, epoch)
        curves.add(place, epoch.label, epoch.right)
        by_slice.add(place, slice_of[epoch.rows], epoch.right)
    step("Looking for what was forgotten")
    found, span_of = dynamics.trajectories(), dynamics.span_of

    def grouping(names: list[str], group: IntArray, curves: Curves) -> Grouping:
        return Grouping(names, group, forgetting.changes(found, group, curves, span_of), curves.accuracy)

    slices = grouping(names, slice_of, by_slice) if request.slices is not None else None
    return Traced(request, log, found, span_of, grouping(log.classes, found.label, curves), slices)


def _slices(path: Path | None, log: Log) -> tuple[list[str], IntArray]:
    """Return the names of the slices, and the slice of each record of the log, shape (n,); -1 where none is given."""
    slice_of = np.full(len(log.keys), -1, dtype=np.int64)
    if path is None:
        return [], slice_of
    row_of = {key: row for row, key in enumerate(log.keys)}
    code_of: dict[str, int] = {}
    for number, (key, name) in rows.read(path, ("record_key", "slice")):
        try:
            row, told = row_of.get(rows.as_name(key), -1), rows.as_name(name)
        except ValueError as error:
            raise FileError(f"{path.name}, row {number}: a value {error}") from error
        if row >= 0:
            slice_of[row] = code_of.setdefault(told, len(code_of))
    if not code_of:
        raise FileError(
            f"{path.name}: none of its records is in the log; keys are those of the log, as trajectories.csv has"
        )
    return list(code_of), slice_of
