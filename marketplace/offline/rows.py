"""Rows of a CSV or Parquet file, with the number a person would look for."""

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

PARQUET_CHUNK = 65_536
MAX_TEXT = 10_000


class FileError(ValueError):
    """The file as a whole cannot be read."""


def read(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    """Yield (row number, values of the columns) of a file.

    The number is the line of a CSV file (the header is line 1), the ordinal of a Parquet row (from 1). A value is None
    where the row is too short.

    Raises
    ------
    FileError
        When the file is missing, is neither format, lacks a column, or is no UTF-8.
    """
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    if path.suffix.lower() in {".parquet", ".pq"}:
        return _read_parquet(path, columns)
    return _read_csv(path, columns)


def _positions(path: Path, names: Sequence[str], columns: Sequence[str]) -> list[int]:
    missing = [column for column in columns if column not in names]
    if missing:
        raise FileError(f"{path}: no column {', '.join(missing)}; there are {', '.join(names) or 'none'}")
    return [list(names).index(column) for column in columns]


def _read_csv(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        try:
            names = [name.strip().lower() for name in next(reader, [])]
            positions = _positions(path, names, columns)
            for row in reader:
                if row:
                    yield reader.line_num, [row[at] if at < len(row) else None for at in positions]
        except UnicodeDecodeError as error:
            raise FileError(f"{path}: not UTF-8 text after line {reader.line_num} ({error.reason})") from error
        except csv.Error as error:
            raise FileError(f"{path}: line {reader.line_num}: {error}") from error


def _read_parquet(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise FileError(f"{path}: not a Parquet file ({str(error)[:100]})") from error
    with file:
        names = file.schema_arrow.names
        _positions(path, [name.strip().lower() for name in names], columns)
        original = {name.strip().lower(): name for name in names}
        number = 0
        for chunk in file.iter_batches(PARQUET_CHUNK, columns=[original[column] for column in columns]):
            for values in zip(*(chunk.column(original[column]).to_pylist() for column in columns), strict=True):
                number += 1
                yield number, list(values)


def as_name(value: Any) -> str:
    """Return a value as the name of a record, annotator or class; ValueError says why it is none.

    >>> as_name(" cat "), as_name(3.0), as_name(7)
    ('cat', '3', '7')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise ValueError("is missing")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if not text:
        raise ValueError("is empty")
    if "\x00" in text or len(text) > MAX_TEXT:
        raise ValueError(f"holds a NUL character or more than {MAX_TEXT} characters")
    return text
