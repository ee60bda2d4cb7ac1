"""The pool from an .npz or .parquet file, checked; every complaint names the file, the array and the rows."""

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.parquet

from common import rows
from common.rows import FileError
from curation.core.arrays import SUM_TOLERANCE, Float32Array, FloatArray, IntArray

METADATA = "metadata_"
KNOWN = ("X", "key", "proba", "anchor", "anchor_label", "utility", "classes")
SHOWN = 10


@dataclass(frozen=True, eq=False)
class Pool:
    """Records with their features and what else the file says of them.

    Attributes
    ----------
    X
        Features, shape (n, d), float32.
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


def load(path: Path, anchor_path: Path | None = None, *, skip_bad: bool = False) -> Pool:
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
    bad = _bad_rows(path, X, proba, utility, keys)
    if bad and not skip_bad:
        raise FileError("\n".join([*list(bad.values())[:SHOWN], f"{len(bad)} bad rows; --skip-bad leaves them out."]))
    good = np.setdiff1d(np.arange(len(X)), list(bad))
    if not len(good):
        raise FileError(f"{path}: no usable row")
    classes = arrays.get("classes")
    return Pool(
        X[good],
        [keys[row] for row in good],
        list(bad.values()),
        None if proba is None else proba[good],
        anchor,
        anchor_label,
        None if utility is None else utility[good],
        None if classes is None else _class_names(path, classes),
        {name: values[good] for name, values in _metadata(path, arrays, len(X)).items()},
        sorted(name for name in arrays if name not in KNOWN and not name.startswith(METADATA)),
        _fingerprint(arrays, anchor, skip_bad),
    )


def _class_names(path: Path, given: npt.NDArray[Any]) -> list[str]:
    names = [str(name) for name in given.ravel().tolist()]
    if given.ndim != 1 or len(names) < 2 or len(set(names)) < len(names):
        raise FileError(f"{path.name}: classes must be two or more different names, got {names[:5]}")
    return names


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an .npz file or the columns of a Parquet file; nothing is ever unpickled."""
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    if path.suffix.lower() in {".parquet", ".pq"}:
        return _columns(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                return {"X": archive}
            return {name: _array(path, archive, name) for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: neither an .npz nor a Parquet file that can be read ({str(error)[:100]})") from error


def _array(path: Path, archive: Any, name: str) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = archive[name]
    except ValueError as error:
        words = (
            "holds Python objects; save it as text, numbers or dates" if "allow_pickle" in str(error) else str(error)
        )
        raise FileError(f"{path.name}: array {name} {words[:150]}") from error
    return array


def _columns(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise FileError(f"{path}: not a Parquet file ({str(error)[:100]})") from error
    found: dict[str, npt.NDArray[Any]] = {}
    for name in table.column_names:
        column = table[name]
        wanted = "X" if name == "embedding" and "X" not in table.column_names else name
        if pyarrow.types.is_list(column.type) or pyarrow.types.is_fixed_size_list(column.type) or name == "X":
            found[wanted] = _matrix(path, name, column)
        elif name in KNOWN:
            found[name] = np.array(column.to_pylist())
        else:
            found[METADATA + name] = np.array(column.to_pylist(), dtype=object)
    return found


def _matrix(path: Path, name: str, column: Any) -> npt.NDArray[Any]:
    lists = column.to_pylist()
    length = len(lists[0]) if lists and lists[0] is not None else 0
    for number, values in enumerate(lists, 1):
        if values is None or len(values) != length:
            size = "no" if values is None else f"{len(values)}"
            raise FileError(f"{path.name}, row {number}: {name} has {size} values, the first row {length}")
    return np.array(lists, dtype=np.float64).reshape(len(lists), length)


def _features(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> Float32Array:
    if "X" not in arrays:
        raise FileError(f"{path}: no array X; there are {', '.join(arrays) or 'none'}")
    X = arrays["X"]
    if X.ndim != 2 or 0 in X.shape or X.dtype.kind not in "fiub":
        raise FileError(f"{path.name}: X must be numbers of shape (n, d) with n, d >= 1; it is {X.dtype} {X.shape}")
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

    name(np.flatnonzero(~np.isfinite(X).all(axis=1)), lambda row: "X holds NaN or infinity")
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
        data = repr(values.tolist()).encode() if values.dtype.kind == "O" else np.ascontiguousarray(values).tobytes()
        digest.update(f"{name}{values.dtype}{values.shape}".encode() + hashlib.sha256(data).digest())
    return digest.hexdigest()
