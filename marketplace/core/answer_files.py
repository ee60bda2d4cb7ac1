"""Answers in a file: JSON lines or CSV with a head row, read with the line of every row and of everything wrong."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

FORMS: Final = ("jsonl", "csv")
MAX_LINE: Final = 512 * 1024
"""Longest line read, characters."""
_NAMES: Final = ("id", "key", "label", "cannot_label")
_MAX_DEPTH: Final = 32
_MAX_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its line, the record's id or key, the label or the reason why there is none."""

    line: int
    name: str
    label: Any
    cannot_label: str | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a line, and the record it names ("" where it names none)."""

    line: int
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says. Rows without an answer are left out: their records stay open."""

    rows: tuple[Row, ...]
    wrong: tuple[Wrong, ...]
    n_open: int


def read(content: bytes, *, is_text_label: bool) -> Read:
    """Read a file of answers; whether it is JSON lines or CSV is told from its first character.

    Parameters
    ----------
    content
        The file, in UTF-8.
    is_text_label
        Whether a label of CSV is the text itself (a class, a transcription); otherwise it is JSON.

    Returns
    -------
    Read
        Rows and faults, both by line.

    Raises
    ------
    ValueError
        When the file as a whole cannot be read; the message says what to do.

    Notes
    -----
    O(bytes).

    Examples
    --------
    >>> read(b"key,label\\na,cat\\nb,\\n", is_text_label=True).rows
    (Row(line=2, name='a', label='cat', cannot_label=None),)
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"The file is not UTF-8 (byte {error.start}); save it as UTF-8 and send it again.") from None
    if "\x00" in text:
        raise ValueError("The file holds NUL bytes, so it is no text; send JSON lines or CSV in UTF-8.")
    if not text.strip():
        raise ValueError("The file is empty; download the records, fill in the labels and send it.")
    found = list(_json_lines(text) if text.lstrip()[0] == "{" else _csv_rows(text, is_text_label=is_text_label))
    rows = tuple(one for one in found if isinstance(one, Row))
    answered = tuple(row for row in rows if row.label is not None or row.cannot_label is not None)
    return Read(answered, tuple(one for one in found if isinstance(one, Wrong)), len(rows) - len(answered))


def _json_lines(text: str) -> Iterator[Row | Wrong]:
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        if len(written) > MAX_LINE:
            yield Wrong(line, "", f"The line has {len(written):,} characters; {MAX_LINE:,} are allowed.")
            continue
        try:
            yield _row(line, _strictly(written))
        except ValueError as error:
            yield Wrong(line, "", str(error))


def _strictly(written: str) -> Mapping[str, Any]:
    """Return a line as an object of known names, or raise ValueError with what is wrong."""
    try:
        given = json.loads(written, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON: {error.msg} at character {error.colno}.") from None
    except RecursionError:
        raise ValueError(f"The JSON is nested deeper than {_MAX_DEPTH} levels.") from None
    if not isinstance(given, dict):
        raise ValueError('Write an object on each line: {"key": "...", "label": ...}')
    if _depth(given) > _MAX_DEPTH:
        raise ValueError(f"The JSON is nested deeper than {_MAX_DEPTH} levels.")
    _check_text(json.dumps(given, ensure_ascii=False))
    return given


def _check_text(text: str) -> None:
    """Refuse what a database cannot keep as text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("A text holds half of a surrogate pair.") from None
    if "\\u0000" in text.replace("\\\\", ""):
        raise ValueError("A text holds a NUL character.")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON.")


def _finite(written: str) -> float:
    value = float(written)
    if not math.isfinite(value):
        raise ValueError(f"{written[:20]} is too large a number.")
    return value


def _whole(written: str) -> int:
    if len(written) > _MAX_DIGITS:
        raise ValueError(f"{written[:20]}... is too large a number.")
    return int(written)


def _depth(value: Any) -> int:
    """Return how deep a value is nested, looking no deeper than what is refused."""
    level, depth = [value], 0
    while level and depth <= _MAX_DEPTH:
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
        ]
        depth += 1
    return depth


def _csv_rows(text: str, *, is_text_label: bool) -> Iterator[Row | Wrong]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    head: list[str] = []
    try:
        head = [cell.strip() for cell in next(reader)]
        _check_head(head)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _cells(reader.line_num, head, cells, is_text_label=is_text_label)
    except csv.Error as error:
        yield Wrong(reader.line_num, "", f"This is not CSV: {error}. Put texts with commas or quotes into quotes.")


def _check_head(head: list[str]) -> None:
    if not {"id", "key"} & set(head) or not {"label", "cannot_label"} & set(head):
        names = ", ".join(head)[:100]
        raise ValueError(f"The first line has to name the columns key (or id) and label; it says: {names}")
    if len(set(head)) < len(head):
        raise ValueError("A column stands twice in the first line; keep one of them.")


def _cells(line: int, head: list[str], cells: list[str], *, is_text_label: bool) -> Row | Wrong:
    if len(cells) != len(head):
        return Wrong(line, "", f"The line has {len(cells)} cells, the first line {len(head)}.")
    given: dict[str, Any] = {name: cell for name, cell in zip(head, cells, strict=True) if name in _NAMES and cell}
    if "label" in given and not is_text_label:
        try:
            given["label"] = _value(given["label"])
        except ValueError as error:
            return Wrong(line, _name(given), str(error))
    try:
        return _row(line, given)
    except ValueError as error:
        return Wrong(line, _name(given), str(error))


def _value(cell: str) -> Any:
    """Return a label written as JSON in a cell."""
    return _strictly('{"label": ' + cell + "}")["label"]


def _name(given: Mapping[str, Any]) -> str:
    return str(given.get("id") or given.get("key") or "")[:200]


def _row(line: int, given: Mapping[str, Any]) -> Row:
    name, reason = given.get("id") or given.get("key"), given.get("cannot_label")
    if not isinstance(name, str):
        raise ValueError("The line names no record; give its id or its key.")
    if reason is not None and not isinstance(reason, str):
        raise ValueError("cannot_label is one of the reasons, as text.")
    if reason is not None and given.get("label") is not None:
        raise ValueError("Give a label or cannot_label, not both.")
    return Row(line, name, given.get("label"), reason)
