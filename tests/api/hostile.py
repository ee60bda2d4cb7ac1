"""What is sent to break things: values for every field, as raw JSON, so that no client library tidies them up."""

import json
from collections.abc import Iterator
from typing import Any

DEEP = "[" * 40 + "]" * 40
REFUSED = {
    "NUL": '"a\\u0000b"',
    "raw NUL": '"a\x00b"',
    "half a surrogate pair": '"\\ud800"',
    "reversed surrogate pair": '"\\udc00\\ud800"',
    "depth 40": DEEP,
    "depth 100,000": "[" * 100_000 + "]" * 100_000,
    "unclosed depth": "[" * 100_000,
    "huge integer": "1" + "0" * 400,
    "2 to the 63": "9223372036854775808",
    "minus 2 to the 70": str(-(2**70)),
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "overflowing number": "1e400",
    "far too many characters": json.dumps("x" * 300_000),
    "object": '{"unknown": 1}',
    "list of lists": "[[[]]]",
}
"""Values that no field takes."""

AWKWARD = {
    "empty text": '""',
    "blank": '"   "',
    "null": "null",
    "true": "true",
    "zero": "0",
    "minus one": "-1",
    "int32 + 1": "2147483648",
    "int64": "9223372036854775807",
    "tiny": "5e-324",
    "huge float": "1e308",
    "fraction": "0.5",
    "number as text": '"1"',
    "quote": '"\' OR 1=1; --"',
    "right to left": '"\\u202etxt.exe"',
    "emoji": '"\\ud83d\\ude00"',
    "line break": '"a\\r\\nb: c"',
    "format": '"%s%n{0}{{x}}"',
    "path": '"../../etc/passwd"',
    "long id": '"job_zzzzzzzzzzzzzzzzzzzzzzzzzz"',
    "far date": '"9999-12-31T23:59:59.999999+00:00"',
    "early date": '"0001-01-01T00:00:00+14:00"',
    "empty list": "[]",
    "empty object": "{}",
}
"""Values that a field may take or refuse, but never stumble over."""

_MARK = "\ue000here\ue000"


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every field of a body, and of the first entry of every list."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield (*path, name)
            yield from places(value, (*path, name))
    elif isinstance(body, list) and body:
        yield (*path, 0)
        yield from places(body[0], (*path, 0))


def spoiled(body: Any, path: tuple[Any, ...], text: str) -> bytes:
    """Return a body as JSON with raw text in one place."""
    copy = json.loads(json.dumps(body))
    target = copy
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = _MARK
    return json.dumps(copy, ensure_ascii=False).replace(f'"{_MARK}"', text).encode("utf-8", "surrogatepass")


def with_extra(body: Any, path: tuple[Any, ...]) -> bytes:
    """Return a body with an unknown field in one of its objects."""
    copy = json.loads(json.dumps(body))
    target = copy
    for step in path:
        target = target[step]
    target["surplus"] = 1
    return json.dumps(copy).encode()


def objects(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every object with fixed fields (metadata is free)."""
    if isinstance(body, dict):
        yield path
        for name, value in body.items():
            if name != "metadata":
                yield from objects(value, (*path, name))
    elif isinstance(body, list) and body:
        yield from objects(body[0], (*path, 0))
