"""Records and gold as a person types them: one per line, parts separated by commas."""

import csv
from collections.abc import Iterator

from django.core.exceptions import ValidationError

from marketplace.services.jobs import GoldInput
from marketplace.services.lots import RecordInput

_MAX_KEY, _MAX_URI = 200, 2000
CANNOT = "-"


def rows_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each filled line's number and its parts, stripped.

    >>> list(rows_of("a, b\\n\\n c"))
    [(1, ['a', 'b']), (3, ['c'])]
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, [part.strip() for part in next(csv.reader([line], skipinitialspace=True))]


def records_of(text: str) -> list[RecordInput]:
    """Return the records of ``key`` or ``key, address`` lines, or raise with every wrong line."""
    found, wrong = [], []
    for number, parts in rows_of(text):
        problem = _problem(parts, least=1, most=2, form="key, address")
        if problem:
            wrong.append(f"Line {number}: {problem}")
        else:
            found.append(RecordInput(parts[0], "".join(parts[1:])))
    _refuse(wrong)
    return found


def gold_of(text: str, classes: list[str]) -> list[GoldInput]:
    """Return the gold of ``key, class`` or ``key, class, address`` lines; the class ``-`` cannot be labeled."""
    found, wrong = [], []
    for number, parts in rows_of(text):
        problem = _problem(parts, least=2, most=3, form="key, class, address")
        if not problem and parts[1] not in {*classes, CANNOT}:
            problem = f"{parts[1]!r} is not one of the classes."
        if problem:
            wrong.append(f"Line {number}: {problem}")
        else:
            found.append(GoldInput(parts[0], None if parts[1] == CANNOT else parts[1], "".join(parts[2:])))
    _refuse(wrong)
    return found


def _problem(parts: list[str], *, least: int, most: int, form: str) -> str:
    if not least <= len(parts) <= most:
        return f"write {form}; found {len(parts)} parts."
    if not parts[0]:
        return "the key is missing."
    if len(parts[0]) > _MAX_KEY or any(len(part) > _MAX_URI for part in parts):
        return f"a key has at most {_MAX_KEY} characters, an address {_MAX_URI}."
    return ""


def _refuse(wrong: list[str]) -> None:
    if wrong:
        shown = wrong[:10]
        raise ValidationError(shown + ([f"... and {len(wrong) - 10} more lines."] if len(wrong) > len(shown) else []))
