"""Reading a training log ("curation log v1"): a split's entries, epoch after epoch, from a folder of Parquet shards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute as pc
from pyarrow import types

from common.rows import FileError
from curation.core.arrays import FloatArray, IntArray
from curation.core.trajectories import Epoch
from curation.offline import log_shards

_KEPT_SHARDS = 8


@dataclass(frozen=True, eq=False)
class Said:
    """What a model said last of each record of a split: keys, its two best classes, and their probabilities."""

    keys: list[str]
    top1: IntArray
    top1_p: FloatArray
    top2: IntArray
    top2_p: FloatArray


@dataclass(eq=False)
class Log:
    """The entries of one split.

    Attributes
    ----------
    shards, of_shard
        Those that could be used, and the epochs of each.
    split, is_labeled
        Which entries.
    known
        Keys of all records, sorted, as the shards hold them.
    classes
        Names of all classes, numbers in their order.
    epochs
        Numbers of the epochs, rising.
    bad
        Shards left out, and why.
    n_repeated
        Entries read so far that a later one of the same record and epoch replaces.
    """

    shards: list[Path]
    split: str
    is_labeled: bool
    known: pyarrow.Array
    classes: list[str]
    epochs: list[int]
    of_shard: list[frozenset[int]]
    bad: list[str]
    n_repeated: int = 0
    _kept: dict[int, "_Entries"] = field(default_factory=dict)

    @cached_property
    def keys(self) -> list[str]:
        """Keys of all records, sorted: text, or hexadecimal digits."""
        if types.is_fixed_size_binary(self.known.type):
            return [key.hex() for key in self.known.to_pylist()]
        return [str(key) for key in self.known.to_pylist()]

    def read(self) -> Iterator[tuple[int, Epoch]]:
        """Yield each epoch of labeled entries with its number, in order."""
        for number, columns in self.columns():
            yield number, Epoch(**columns)

    def columns(self) -> Iterator[tuple[int, dict[str, npt.NDArray[Any]]]]:
        """Yield each epoch's number and columns; of entries of one record the last counts, by shard and row."""
        for epoch in self.epochs:
            found = [self._entries(at).of(epoch) for at, held in enumerate(self.of_shard) if epoch in held]
            columns = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
            rows, first = np.unique(columns["rows"][::-1], return_index=True)
            last = len(columns["rows"]) - 1 - first
            self.n_repeated += len(columns["rows"]) - len(rows)
            yield epoch, {name: values[last] for name, values in columns.items()}

    def _entries(self, at: int) -> "_Entries":
        """Return a shard's entries; a few shards are kept, as one may hold many epochs."""
        entries = self._kept.pop(at, None)
        if entries is None:
            entries = _Entries(
                _chosen(log_shards.table(self.shards[at]), self.split, self.is_labeled), self.known, self.classes
            )
        self._kept[at] = entries
        if len(self._kept) > _KEPT_SHARDS:
            self._kept.pop(next(iter(self._kept)))
        return entries


class _Entries:
    """Entries of a shard as arrays, epoch after epoch."""

    def __init__(self, table: pyarrow.Table, known: pyarrow.Array, classes: Sequence[str]) -> None:
        epoch = log_shards.array(table, "epoch").astype(np.int64)
        order = np.argsort(epoch, kind="stable")
        self._epoch = epoch[order]
        rows = pc.index_in(table["record_key"], value_set=known)
        self._columns: dict[str, npt.NDArray[Any]] = {"rows": np.asarray(rows.to_numpy(), dtype=np.int64)[order]}
        names = pyarrow.array(classes, pyarrow.string())
        for name in log_shards.CLASSES:
            codes = pc.fill_null(pc.index_in(_names(table[name]), value_set=names), -1)
            self._columns[name] = np.asarray(codes.to_numpy(), dtype=np.int64)[order]
        for name in ("margin", *log_shards.RATIOS):
            self._columns[name] = log_shards.array(table, name).astype(np.float64)[order]

    def of(self, epoch: int) -> dict[str, npt.NDArray[Any]]:
        start, end = np.searchsorted(self._epoch, (epoch, epoch + 1))
        return {name: values[start:end] for name, values in self._columns.items()}


def load(folder: Path, split: str, *, is_labeled: bool = True, skip_bad: bool = False) -> Log:
    """Check all shards of a log; return the entries of a split, with labels or (of a pool) without.

    Raises
    ------
    FileError
        When there is no shard, the split has no such entries, or (unless ``skip_bad``) a shard cannot be used.

    Notes
    -----
    Shards are read in the order of their names; names that begin with a dot are not yet written to the end. Memory is
    that of the keys and of eight shards.
    """
    paths = sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))
    if not paths:
        raise FileError(f"{folder}: no shard of a training log (*.parquet) lies there")
    held, bad, splits = _Held(), [], set[str]()
    for path in paths:
        try:
            table = log_shards.table(path)
            splits.update(pc.unique(table["split"]).to_pylist())
            held.add(path, _chosen(table, split, is_labeled))
        except FileError as error:
            if not skip_bad:
                raise FileError(f"{error}; leave such shards out with --skip-bad") from error
            bad.append(str(error))
    if held.keys is None or not len(held.keys):
        what = "labeled" if is_labeled else "unlabeled"
        told = f"; all {len(bad)} shards are bad, the first: {bad[0]}" if len(bad) == len(paths) else ""
        raise FileError(
            f"{folder}: split {split!r} has no {what} entries; there are {', '.join(sorted(splits)) or 'none'}{told}"
        )
    order = pc.sort_indices(held.keys)
    epochs = sorted(set().union(*held.epochs))
    return Log(held.paths, split, is_labeled, held.keys.take(order), _ordered(held.classes), epochs, held.epochs, bad)


def last_said(log: Log) -> Said:
    """Return what a log says last of each of its records, as `curation.core.utilities` makes utilities of it."""
    classes, ratios = np.zeros((2, len(log.keys)), np.int64), np.zeros((2, len(log.keys)))
    for _, entries in log.columns():
        for place, name in enumerate(("top1", "top2")):
            classes[place, entries["rows"]], ratios[place, entries["rows"]] = entries[name], entries[f"{name}_p"]
    return Said(log.keys, classes[0], ratios[0], classes[1], ratios[1])


class _Held:
    """Keys, classes and epochs of the shards looked at so far."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.keys: pyarrow.Array | None = None
        self.classes: set[str] = set()
        self.epochs: list[frozenset[int]] = []

    def add(self, path: Path, table: pyarrow.Table) -> None:
        keys = pc.unique(table["record_key"])
        if self.keys is not None and self.keys.type != keys.type:
            raise FileError(f"{path.name}: record_key is {keys.type}, in the shards before {self.keys.type}")
        self.keys = keys if self.keys is None else pc.unique(pyarrow.chunked_array([self.keys, keys]))
        self.paths.append(path)
        self.epochs.append(frozenset(pc.unique(table["epoch"]).to_pylist()))
        for name in log_shards.CLASSES:
            self.classes.update(value for value in pc.unique(_names(table[name])).to_pylist() if value is not None)


def _ordered(classes: set[str]) -> list[str]:
    is_counted = all(name.removeprefix("-").isdecimal() for name in classes)
    return sorted(classes, key=(lambda name: (int(name), name)) if is_counted else None)


def _chosen(table: pyarrow.Table, split: str, is_labeled: bool) -> pyarrow.Table:
    has_label = pc.is_valid(table["label"])
    return table.filter(pc.and_(pc.equal(table["split"], split), has_label if is_labeled else pc.invert(has_label)))


def _names(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    return pc.cast(column, pyarrow.string())
