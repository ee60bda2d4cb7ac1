"""Rows of a CSV or Parquet file, with the number a person would look for."""

import csv
import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

PARQUET_CHUNK = 65_536
MAX_TEXT = 10_000
WHOLE = re.compile(r"^(-?\d+)\.0+$", re.ASCII)
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")


class FileError(ValueError):
    """The file as a whole cannot be read."""


def read(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[tuple[int, list[Any]]]:
    """Yield (row number, values of the columns, then of the optional ones) of a file.

    The number is the line of a CSV file (the header is line 1), the ordinal of a Parquet row (from 1). A value is None
    where the row is too short or the file lacks an optional column. Rows of a CSV file with several columns that
    hold no text at all are left out.

    Raises
    ------
    FileError
        When the file is missing, is neither format, lacks a column, or is no UTF-8; when a row of a CSV file has more
        values than there are columns, or ends within quotes.
    """
    if not path.is_file():
        raise FileError(f"{path}: there is no such file")
    if path.suffix.lower() in {".parquet", ".pq"}:
        return _read_parquet(path, columns, optional)
    return _read_csv(path, columns, optional)


def _positions(path: Path, names: Sequence[str], columns: Sequence[str], optional: Sequence[str]) -> list[int]:
    """Return where each column is; an optional one that is missing stands behind the last."""
    missing = [column for column in columns if column not in names]
    if missing:
        raise FileError(f"{path}: no column {', '.join(missing)}; there are {', '.join(names) or 'none'}")
    return [names.index(column) if column in names else len(names) for column in (*columns, *optional)]


def _read_csv(path: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        try:
            names = [name.strip().lower() for name in next(reader, [])]
            positions = _positions(path, names, columns, optional)
            for row in reader:
                if any(value.strip() for value in row[len(names) :]):
                    raise csv.Error(f"{len(row)} values, the header names {len(names)}; quote values that hold commas")
                if any(value.strip() for value in row) or (row and len(names) == 1):
                    yield reader.line_num, [row[at] if at < min(len(row), len(names)) else None for at in positions]
        except UnicodeDecodeError as error:
            raise FileError(f"{path}: not UTF-8 text after line {reader.line_num} ({error.reason})") from error
        except csv.Error as error:
            raise FileError(f"{path}: line {reader.line_num}: {error}") from error


def _read_parquet(path: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise FileError(f"{path}: not a Parquet file ({str(error)[:100]})") from error
    with file:
        names = file.schema_arrow.names
        original = {name.strip().lower(): name for name in names}
        _positions(path, list(original), columns, optional)
        wanted = (*columns, *optional)
        present = [original[column] for column in wanted if column in original]
        number = 0
        for chunk in file.iter_batches(PARQUET_CHUNK, columns=present):
            held = [chunk.column(original[name]).to_pylist() if name in original else None for name in wanted]
            for at in range(chunk.num_rows):
                number += 1
                yield number, [None if values is None else values[at] for values in held]


def as_time(value: Any) -> float:
    """Return a time as seconds, from a number, a date and time object, or ISO 8601 text; ValueError otherwise.

    >>> as_time("12.5"), as_time("1970-01-01T00:01:00+00:00")
    (12.5, 60.0)
    """
    try:
        if isinstance(value, str):
            text = value.strip()
            seconds = float(text) if NUMBER.fullmatch(text) else _seconds(datetime.fromisoformat(text))
        else:
            seconds = _seconds(value) if isinstance(value, datetime) else float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{str(value)[:40]!r} is neither a number nor an ISO 8601 time") from error
    if not math.isfinite(seconds):
        raise ValueError(f"{seconds} is not finite")
    return seconds


def _seconds(moment: datetime) -> float:
    """Return seconds since 1970; a time without a zone counts as UTC, so that the machine's zone changes nothing."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def as_name(value: Any) -> str:
    """Return a value as the name of a record, annotator or class; ValueError says why it is none.

    >>> as_name(" cat "), as_name(3.0), as_name(7), as_name(b"dog")
    ('cat', '3', '7', 'dog')
    """
    if isinstance(value, bytes):
        value = value.decode(errors="surrogateescape")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise ValueError("is missing")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if not text:
        raise ValueError("is empty")
    if "\x00" in text or len(text) > MAX_TEXT:
        raise ValueError(f"holds a NUL character or more than {MAX_TEXT} characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds something that is no UTF-8 text")
    return text


def as_whole(name: str) -> str:
    """Return the name of a whole number without the decimals a spreadsheet or a table with gaps has put there.

    >>> as_whole("12.0"), as_whole("12.5"), as_whole("v1.0")
    ('12', '12.5', 'v1.0')
    """
    return WHOLE.sub(r"\1", name)
