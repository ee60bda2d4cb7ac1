"""Records and gold as a person types them: one per line, parts separated by commas."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError

from marketplace.services.jobs import GoldInput
from marketplace.services.lots import RecordInput

_MAX_KEY, _MAX_URI = 200, 2000
CANNOT = "-"


def parts_of(line: str) -> list[str]:
    """Return the parts of a line, stripped.

    >>> parts_of('a, "b, c"')
    ['a', 'b, c']
    """
    return [part.strip() for part in next(csv.reader([line], skipinitialspace=True))]


def rules_of(text: str) -> dict[str, Any]:
    """Return the rules of ``name = value`` lines; a value is JSON.

    >>> rules_of('min_width = 5')
    {'min_width': 5}
    """
    found: dict[str, Any] = {}
    wrong = []
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        try:
            if not equals or not name or name in found:
                raise ValueError
            found[name] = json.loads(value)
        except ValueError:
            wrong.append(
                f'Line {number}: write name = value once each; a value is a number, true, or a list ["a", "b"].'
            )
    _refuse(wrong)
    return found


def _objects_of(text: str, names: set[str], wrong: list[str]) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    """Yield each filled line as a JSON object, or as it is; what is wrong with an object is added to ``wrong``."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip().startswith("{"):
            if line.strip():
                yield number, None, line
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            wrong.append(f"Line {number}: this is not JSON ({error}).")
            continue
        missing = names - row.keys()
        if missing:
            wrong.append(f"Line {number}: {', '.join(sorted(missing))} is missing.")
        elif not isinstance(row["key"], str) or not 0 < len(row["key"]) <= _MAX_KEY:
            wrong.append(f"Line {number}: the key is a text of 1 to {_MAX_KEY} characters.")
        elif not isinstance(row.get("uri", ""), str) or len(row.get("uri", "")) > _MAX_URI:
            wrong.append(f"Line {number}: the uri is a text of at most {_MAX_URI} characters.")
        else:
            yield number, row, line


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"key", "uri", "label"}}


def records_of(text: str) -> list[RecordInput]:
    """Return the records of ``key`` or ``key, address`` lines or JSON objects, or raise with every wrong line."""
    found: list[RecordInput] = []
    wrong: list[str] = []
    for number, row, line in _objects_of(text, {"key"}, wrong):
        if row is not None:
            found.append(RecordInput(row["key"], row.get("uri", ""), _facts(row)))
            continue
        parts = parts_of(line)
        problem = _problem(parts, least=1, most=2, form="key, address")
        if problem:
            wrong.append(f"Line {number}: {problem}")
        else:
            found.append(RecordInput(parts[0], "".join(parts[1:])))
    _refuse(wrong)
    return found


def gold_of(text: str, classes: list[str] | None) -> list[GoldInput]:
    """Return the gold of ``key, class`` or ``key, class, address`` lines; the class ``-`` cannot be labeled.

    Without ``classes`` each line is a JSON object with the task type's label, null if it cannot be labeled.
    """
    found: list[GoldInput] = []
    wrong: list[str] = []
    for number, row, line in _objects_of(text, {"key", "label"}, wrong):
        if row is not None:
            found.append(GoldInput(row["key"], row["label"], row.get("uri", ""), _facts(row)))
            continue
        if classes is None:
            wrong.append(f'Line {number}: write {{"key": "g1", "label": ...}} for labels of this kind.')
            continue
        parts = parts_of(line)
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
