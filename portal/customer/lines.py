"""Records and gold as a person types them: one per line, parts separated by commas."""

import csv
import json
from collections.abc import Iterator
from typing import Any, Final

from django.core.exceptions import ValidationError

from marketplace.core import kinds
from marketplace.models import LabelSchema
from marketplace.services.jobs import GoldInput
from marketplace.services.lots import RecordInput

_MAX_KEY, _MAX_URI = 200, 2000
CANNOT: Final = "-"
ARROW: Final = "=>"
_DRAWN: Final = frozenset({"bbox", "polygon", "mask", "keypoints"})
_FORMS: Final = {
    "spans": (2, 3, "key, text, or key, number of characters, address"),
    "ranking": (3, 101, "key, item, item and so on"),
} | dict.fromkeys(_DRAWN, (1, 4, "key, address, width, height"))
_USUAL: Final = (1, 2, "key, address")


def rows_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each filled line's number and its parts, stripped.

    >>> list(rows_of("a, b\\n\\n c"))
    [(1, ['a', 'b']), (3, ['c'])]
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, _split(line)


def _split(line: str) -> list[str]:
    try:
        return [part.strip() for part in next(csv.reader([line], skipinitialspace=True))]
    except csv.Error:
        return [line.strip()]


def records_of(text: str, task_type: str = kinds.CLASSIFICATION) -> list[RecordInput]:
    """Return the records of ``key`` or ``key, address`` lines, or raise with every wrong line.

    Where records carry more (the text, the items to rank, the size of an image) it stands in the line too.
    """
    found, wrong = [], []
    for number, parts in rows_of(text):
        try:
            found.append(_record(parts, task_type))
        except ValueError as problem:
            wrong.append(f"Line {number}: {problem}")
    _refuse(wrong)
    return found


def _record(parts: list[str], task_type: str) -> RecordInput:
    least, most, form = _FORMS.get(task_type, _USUAL)
    problem = _problem(parts, least=least, most=most, form=form, has_text=task_type == "spans")
    if problem:
        raise ValueError(problem)
    uri, facts = _facts(parts[1:], task_type)
    findings = kinds.get(task_type).record_findings(facts)
    if findings:
        raise ValueError(findings[0].detail)
    return RecordInput(parts[0], uri, facts)


def _facts(rest: list[str], task_type: str) -> tuple[str, dict[str, object]]:
    """Return a record's address and what else is said of it."""
    if task_type == "ranking":
        return "", {"items": rest}
    if task_type == "spans":
        is_length = rest[0].isascii() and rest[0].isdigit() and len(rest[0]) < 10
        return "".join(rest[1:]), {"length": int(rest[0])} if is_length else {"text": rest[0]}
    if task_type in _DRAWN and len(rest) > 1:
        return rest[0], _size(rest[1:])
    return "".join(rest), {}


def _size(sides: list[str]) -> dict[str, object]:
    if len(sides) != 2 or not all(side.isascii() and side.isdigit() and int(side[:8]) > 0 for side in sides):
        raise ValueError("write width and height in whole pixels, both or none.")
    return {"width": int(sides[0][:8]), "height": int(sides[1][:8])}


def gold_of(text: str, schema: LabelSchema) -> list[GoldInput]:
    """Return the gold of a schema's lines; the label ``-`` cannot be labeled.

    A class stands in ``key, class`` or ``key, class, address``; another type's label after the record and ``=>``.
    """
    read = _classed if schema.task_type == kinds.CLASSIFICATION else _labeled
    found, wrong = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(read(line, schema))
            except ValueError as problem:
                wrong.append(f"Line {number}: {problem}")
    _refuse(wrong)
    return found


def _classed(line: str, schema: LabelSchema) -> GoldInput:
    parts = _split(line)
    problem = _problem(parts, least=2, most=3, form="key, class, address")
    if problem:
        raise ValueError(problem)
    if parts[1] not in {*schema.classes, CANNOT}:
        raise ValueError(f"{parts[1]!r} is not one of the classes.")
    return GoldInput(parts[0], None if parts[1] == CANNOT else parts[1], "".join(parts[2:]))


def _labeled(line: str, schema: LabelSchema) -> GoldInput:
    before, arrow, after = line.partition(ARROW)
    if not arrow or not after.strip():
        raise ValueError(f"write the record, {ARROW} and its label.")
    record = _record(_split(before.strip()), schema.task_type)
    label = _label(after.strip(), schema)
    if label is not None:
        _, findings = kinds.canonical(label, schema.rules_for(record.metadata))
        if findings:
            raise ValueError(findings[0].detail)
    return GoldInput(record.key, label, record.uri, record.metadata)


def _label(text: str, schema: LabelSchema) -> Any:
    if text == CANNOT:
        return None
    if schema.task_type == "transcription":
        return text
    if schema.task_type in {"multilabel", "ranking"}:
        is_none = text == "none" and text not in schema.classes
        return [] if is_none else [part.strip() for part in text.split(";") if part.strip()]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        example = json.dumps(kinds.get(schema.task_type).example(schema.rules_for({})))
        raise ValueError(f"the label is no JSON; write it like {example}") from None


def _problem(parts: list[str], *, least: int, most: int, form: str, has_text: bool = False) -> str:
    if not least <= len(parts) <= most:
        return f"write {form}; found {len(parts)} parts."
    if not parts[0]:
        return "the key is missing."
    rest = parts[2:] if has_text else parts[1:]
    if len(parts[0]) > _MAX_KEY or any(len(part) > _MAX_URI for part in rest):
        return f"a key has at most {_MAX_KEY} characters, an address {_MAX_URI}."
    return ""


def _refuse(wrong: list[str]) -> None:
    if wrong:
        shown = wrong[:10]
        raise ValidationError(shown + ([f"... and {len(wrong) - 10} more lines."] if len(wrong) > len(shown) else []))
