"""The pool from an .npz or .parquet file, checked; every complaint names the file, the array and the rows."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common import rows
from common.rows import FileError
from curation.core import large
from curation.core.arrays import SUM_TOLERANCE, Float32Array, FloatArray, IntArray
from curation.core.pool import BLOCK
from curation.offline.arrays import KNOWN, METADATA, read_arrays

SHOWN = 10


@dataclass(frozen=True, eq=False)
class Pool:
    """Records with their features and what else the file says of them.

    Attributes
    ----------
    X
        Features, shape (n, d), float32; in pools too large to compare all rows as stored, float16 too, and left on disk
        where they can be.
    keys
        Names of the records, each once; default: the row's number in the file, from 0.
    bad
        What is wrong with the rows that were left out.
    fingerprint
        SHA-256 of everything that selection depends on.
    """

    X: Float32Array
    keys: list[str]
    bad: list[str] = field(default_factory=list)
    proba: FloatArray | None = None
    anchor: Float32Array | None = None
    anchor_label: IntArray | None = None
    utility: FloatArray | None = None
    classes: list[str] | None = None
    metadata: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    fingerprint: str = ""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def is_large(self) -> bool:
        """Whether it is too large to compare all rows with each other."""
        return len(self) > large.LARGE

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each key."""
        return {key: row for row, key in enumerate(self.keys)}

    def part(self, rows: IntArray, X: Float32Array) -> "Pool":
        """Return some of its records, shape (m,), with their features, shape (m, d)."""
        return replace(
            self,
            X=X,
            keys=[self.keys[row] for row in rows],
            proba=None if self.proba is None else self.proba[rows],
            utility=None if self.utility is None else self.utility[rows],
            metadata={name: values[rows] for name, values in self.metadata.items()},
        )


def load(path: Path, anchor_path: Path | None = None, *, skip_bad: bool = False, classes: Sequence[str] = ()) -> Pool:
    """Return the pool of a file.

    Parameters
    ----------
    path
        npz: ``X`` (n, d) and optionally ``key`` (n,), ``proba`` (n, k), ``anchor`` (m, d), ``anchor_label`` (m,),
        ``utility`` (n,), ``classes`` (k,), ``metadata_NAME`` (n,). Parquet: a list column ``X`` or ``embedding``,
        optionally ``key``, ``proba``, ``utility``; every other column is metadata.
    anchor_path
        A file of the same kinds whose ``anchor`` or ``X`` are trusted in-scope records.
    skip_bad
        Leave rows out that are not finite or whose probabilities do not sum to one, instead of stopping at them.
    classes
        Names of the classes, for a file that does not hold them.

    Raises
    ------
    FileError
        When the file, an array or a row cannot be used.
    """
    arrays = read_arrays(path)
    X = _features(path, arrays)
    anchor, anchor_label = _anchor(path, arrays, anchor_path, X.shape[1])
    keys = _keys(path, arrays.get("key"), len(X))
    proba, utility = _shaped(path, arrays, "proba", len(X), 2), _shaped(path, arrays, "utility", len(X), 1)
    if proba is not None and proba.shape[1] < 2:
        raise FileError(f"{path.name}: proba needs a column for each of two or more classes; it has {proba.shape[1]}")
    bad = _bad_rows(path, X, proba, utility, keys)
    if bad and not skip_bad:
        raise FileError("\n".join([*list(bad.values())[:SHOWN], f"{len(bad)} bad rows; --skip-bad leaves them out."]))
    if classes and "classes" in arrays:
        raise FileError(f"{path.name} names its classes itself; leave --classes out")
    named = np.array(classes) if classes else arrays.get("classes")
    pool = Pool(
        X,
        keys,
        list(bad.values()),
        proba,
        anchor,
        anchor_label,
        utility,
        None if named is None else _class_names(path, named),
        _metadata(path, arrays, len(X)),
        sorted(name for name in arrays if name not in KNOWN and not name.startswith(METADATA)),
        _fingerprint(arrays, anchor, skip_bad),
    )
    if not bad:
        return pool
    good = np.setdiff1d(np.arange(len(X)), list(bad))
    if not len(good):
        raise FileError(f"{path}: no usable row")
    return pool.part(good, X[good])


def _class_names(path: Path, given: npt.NDArray[Any]) -> list[str]:
    try:
        names = [rows.as_name(name) for name in given.ravel().tolist()]
    except ValueError as error:
        raise FileError(f"{path.name}: a name of classes {error}") from error
    if given.ndim != 1 or len(names) < 2 or len(set(names)) < len(names):
        raise FileError(f"{path.name}: classes must be two or more different names, got {names[:5]}")
    return names


def _features(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> Float32Array:
    if "X" not in arrays:
        raise FileError(f"{path}: no array X; there are {', '.join(arrays) or 'none'}")
    X = arrays["X"]
    if X.ndim != 2 or 0 in X.shape or X.dtype.kind not in "fiub":
        raise FileError(f"{path.name}: X must be numbers of shape (n, d) with n, d >= 1; it is {X.dtype} {X.shape}")
    if len(X) > large.LARGE and X.dtype in (np.float16, np.float32):
        return X
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite and is named below
        return X.astype(np.float32)


def _shaped(path: Path, arrays: dict[str, npt.NDArray[Any]], name: str, n: int, ndim: int) -> FloatArray | None:
    if name not in arrays:
        return None
    values = arrays[name]
    if values.ndim != ndim or len(values) != n or values.dtype.kind not in "fiub":
        want = f"({n}, k)" if ndim == 2 else f"({n},)"
        raise FileError(f"{path.name}: {name} must be numbers of shape {want}; it is {values.dtype} {values.shape}")
    return values.astype(np.float64)


def _bad_rows(
    path: Path, X: Float32Array, proba: FloatArray | None, utility: FloatArray | None, keys: list[str]
) -> dict[int, str]:
    found: dict[int, str] = {}

    def name(rows: IntArray, words: Callable[[int], str]) -> None:
        for row in rows.tolist():
            found.setdefault(row, f"{path.name}, row {row + 1} (key {keys[row][:60]!r}): {words(row)}")

    finite = [np.isfinite(X[start : start + BLOCK]).all(axis=1) for start in range(0, len(X), BLOCK)]
    name(np.flatnonzero(~np.concatenate(finite)), lambda row: "X holds NaN or infinity")
    if utility is not None:
        name(np.flatnonzero(~np.isfinite(utility)), lambda row: "utility is not finite")
    if proba is not None:
        sums = proba.sum(axis=1)
        name(np.flatnonzero(~(proba >= 0).all(axis=1)), lambda row: "proba is negative or NaN")
        name(
            np.flatnonzero(~(np.abs(sums - 1) <= SUM_TOLERANCE)),
            lambda row: f"proba sums to {sums[row]:.4g}, not to one",
        )
    return dict(sorted(found.items()))


def _keys(path: Path, given: npt.NDArray[Any] | None, n: int) -> list[str]:
    if given is None:
        return [str(row) for row in range(n)]
    if given.shape != (n,):
        raise FileError(f"{path.name}: key must have shape ({n},) like X; it has {given.shape}")
    names: list[str] = []
    first: dict[str, int] = {}
    for number, value in enumerate(given.tolist(), 1):
        try:
            name = rows.as_name(value)
        except ValueError as error:
            raise FileError(f"{path.name}, row {number}: key {error}") from error
        if name in first:
            raise FileError(f"{path.name}, row {number}: key {name[:60]!r} is the same as in row {first[name]}")
        first[name] = number
        names.append(name)
    return names


def _anchor(
    path: Path, arrays: dict[str, npt.NDArray[Any]], anchor_path: Path | None, d: int
) -> tuple[Float32Array | None, IntArray | None]:
    if anchor_path is not None:
        found, path = read_arrays(anchor_path), anchor_path
        arrays = {"anchor": found.get("anchor", found.get("X", np.empty(0)))} | {
            name: found[name] for name in ("anchor_label",) if name in found
        }
    if "anchor" not in arrays:
        return None, None
    anchor, label = arrays["anchor"], arrays.get("anchor_label")
    if anchor.ndim != 2 or anchor.shape[1] != d or not len(anchor) or anchor.dtype.kind not in "fiub":
        raise FileError(f"{path.name}: anchor must be numbers of shape (m, {d}); it is {anchor.dtype} {anchor.shape}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite and is named below
        finite = np.isfinite(anchor.astype(np.float32)).all(axis=1)
    if not finite.all():
        raise FileError(f"{path.name}, anchor row {int(np.argmin(finite)) + 1}: NaN or infinity")
    if label is not None and (label.shape != (len(anchor),) or label.dtype.kind not in "iu"):
        raise FileError(f"{path.name}: anchor_label must be whole numbers of shape ({len(anchor)},)")
    return anchor.astype(np.float32), None if label is None else label.astype(np.int64)


def _metadata(path: Path, arrays: dict[str, npt.NDArray[Any]], n: int) -> dict[str, npt.NDArray[Any]]:
    found = {name.removeprefix(METADATA): values for name, values in arrays.items() if name.startswith(METADATA)}
    for name, values in found.items():
        if values.shape != (n,):
            raise FileError(f"{path.name}: {METADATA}{name} must have shape ({n},) like X; it has {values.shape}")
    return found


def _fingerprint(arrays: dict[str, npt.NDArray[Any]], anchor: Float32Array | None, skip_bad: bool) -> str:
    digest = hashlib.sha256(b"skip" if skip_bad else b"")
    for name, values in sorted((arrays | ({} if anchor is None else {"anchor": anchor})).items()):
        digest.update(f"{name}{values.dtype}{values.shape}".encode() + hashlib.sha256(_plain(values)).digest())
    return digest.hexdigest()


def _plain(values: npt.NDArray[Any]) -> bytes | memoryview:
    if values.dtype.kind in "fiub":
        return np.ascontiguousarray(values).data
    return repr(values.tolist()).encode() if values.dtype.kind == "O" else values.tobytes()
