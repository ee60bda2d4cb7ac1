"""One shard of a training log, checked as a whole before anything of it counts.

A shard that is cut short, lacks a column, holds values that cannot be, or columns that may hold content, is named.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet
from pyarrow import types

from common.rows import MAX_TEXT, FileError
from curation.client_log import COLUMNS

MORE_COLUMNS = ("logits", "embedding", "aux")
"""What levels 1 and 2 add: numbers, or lists of numbers."""
CLASSES = ("label", "top1", "top2")
RATIOS = ("p_label", "top1_p", "top2_p")
_NUMBERS = (*RATIOS, "loss", "margin", "entropy", "logsumexp")
_ONLY_LABELED = ("p_label", "loss", "margin")


def table(path: Path) -> pyarrow.Table:
    """Return a shard's columns, checked.

    Raises
    ------
    FileError
        Naming the shard, and what is wrong with it.
    """
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow)
            found = file.read(columns=list(COLUMNS))
        found.validate(full=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise FileError(f"{path.name}: cut short, or not a Parquet file ({str(error)[:100]})") from error
    for at, column in enumerate(found.schema):
        kind = _plain(column.type)
        kind = pyarrow.string() if types.is_large_string(kind) else kind
        found = found.set_column(at, column.name, pc.cast(found.column(at), kind))
    if types.is_binary(found.schema.field("record_key").type):
        found = _with_fixed_keys(path, found)
    _check_values(path, found)
    return found


def _plain(kind: pyarrow.DataType) -> pyarrow.DataType:
    """Return the type of the values of a column that keeps each once (a categorical one)."""
    return kind.value_type if types.is_dictionary(kind) else kind


def _check_columns(path: Path, schema: pyarrow.Schema) -> None:
    missing = [name for name in COLUMNS if name not in schema.names]
    if missing:
        raise FileError(f"{path.name}: no column {', '.join(missing)}; there are {', '.join(schema.names)}")
    if len(set(schema.names)) < len(schema.names):
        raise FileError(f"{path.name}: two columns have one name, among {', '.join(schema.names)}")
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name not in (*COLUMNS, *MORE_COLUMNS) or (name in MORE_COLUMNS and not _is_numeric(kind)):
            raise FileError(
                f"{path.name}: column {name} ({kind}) may hold content, which no log below level 3 does; leave it out"
            )
        if name in COLUMNS and not _fits(name, _plain(kind)):
            raise FileError(f"{path.name}: column {name} must hold {_wanted(name)}, not {kind}")


def array(table: pyarrow.Table, name: str) -> npt.NDArray[Any]:
    """Return a column; numbers that are missing are NaN."""
    return np.asarray(table[name].to_numpy())


def _is_numeric(kind: pyarrow.DataType) -> bool:
    if types.is_struct(kind):
        return all(_is_numeric(kind.field(at).type) for at in range(kind.num_fields))
    while types.is_list(kind) or types.is_fixed_size_list(kind) or types.is_large_list(kind):
        kind = kind.value_type
    return bool(types.is_integer(kind) or types.is_floating(kind))


def _fits(name: str, kind: pyarrow.DataType) -> bool:
    is_text = types.is_string(kind) or types.is_large_string(kind)
    if name == "record_key":
        return is_text or types.is_binary(kind) or (types.is_fixed_size_binary(kind) and kind.byte_width == 16)
    if name == "split":
        return bool(is_text)
    if name in _NUMBERS:
        return bool(types.is_floating(kind))
    return bool(types.is_integer(kind)) or (name in CLASSES and is_text)


def _wanted(name: str) -> str:
    if name == "record_key":
        return "text or 16 bytes"
    if name == "split":
        return "text"
    if name in _NUMBERS:
        return "floating numbers"
    return "whole numbers" if name == "epoch" else "class names or whole numbers"


def _with_fixed_keys(path: Path, table: pyarrow.Table) -> pyarrow.Table:
    try:
        keys = pc.cast(table["record_key"], pyarrow.binary(16))
    except pyarrow.ArrowInvalid as error:
        raise FileError(f"{path.name}: a record_key of bytes must have 16 of them") from error
    return table.set_column(table.schema.get_field_index("record_key"), "record_key", keys)


def _check_values(path: Path, table: pyarrow.Table) -> None:
    """Raise FileError unless every entry is one that can be: all there, in range, finite."""
    labeled = np.asarray(pc.is_valid(table["label"]).to_numpy())
    if len(labeled) == 0:
        return
    for name in COLUMNS:
        gaps = np.asarray(pc.is_null(table[name]).to_numpy())
        if name != "label" and (gaps & (labeled if name in _ONLY_LABELED else True)).any():
            raise FileError(f"{path.name}: column {name} has {int(gaps.sum())} gaps")
    if pc.min(table["epoch"]).as_py() < 0:
        raise FileError(f"{path.name}: epoch {pc.min(table['epoch']).as_py()} is below 0")
    for name in _NUMBERS:
        values = array(table, name).astype(np.float64)[labeled if name in _ONLY_LABELED else slice(None)]
        good = np.isfinite(values) if name not in RATIOS else (values >= 0) & (values <= 1.001)
        if not good.all():
            at = int(np.argmin(good))
            raise FileError(
                f"{path.name}: {name} {values[at]:g} is not {'a probability' if name in RATIOS else 'finite'}"
            )
    for name in ("record_key", *CLASSES):
        if types.is_string(table.schema.field(name).type):
            _check_texts(path, name, table[name])


def _check_texts(path: Path, name: str, column: pyarrow.ChunkedArray) -> None:
    lengths = pc.binary_length(column)
    if pc.min(lengths).as_py() == 0 or pc.max(lengths).as_py() > MAX_TEXT:
        raise FileError(f"{path.name}: a {name} is empty, or longer than {MAX_TEXT} bytes")
    if pc.any(pc.match_substring(column, "\x00")).as_py():
        raise FileError(f"{path.name}: a {name} holds a NUL character")
