"""JSON as it was meant: nothing that a database, a reader or a second parser would take differently."""

import json
import math
from codecs import decode
from collections.abc import Mapping
from typing import IO, Any, BinaryIO, Final, cast

from django.conf import settings
from rest_framework.parsers import JSONParser, MultiPartParser

from api.errors import MalformedRequestError, TruncatedBodyError
from common.errors import TooLargeError

MAX_DEPTH: Final = 32
_INT64_MAX: Final = 2**63 - 1
_INT64_DIGITS: Final = 20


class StrictJSONParser(JSONParser):
    """Refuse what is truncated, too large, too deep, or has a second meaning; see `loads`."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the object in the body."""
        meta = (parser_context or {})["request"].META
        value = loads(read_whole(stream, meta.get("CONTENT_LENGTH"), settings.JSON_MAX_BYTES))
        if not isinstance(value, dict):
            raise MalformedRequestError(f"The body must be a JSON object, not {type(value).__name__}.")
        return value


class CheckedMultiPartParser(MultiPartParser):
    """Files with fields; refused before reading when the announced length is over the cap."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the fields and files."""
        length = _announced(parser_context["request"].META.get("CONTENT_LENGTH"))
        if length is not None and length > settings.DATASET_MAX_BYTES:
            raise TooLargeError(f"An upload holds {settings.DATASET_MAX_BYTES} bytes at most.")
        counted = _Counted(stream)
        parsed = super().parse(cast(IO[Any], counted), media_type, parser_context)
        if length is not None and counted.n_bytes < length:
            raise TruncatedBodyError
        return parsed


class _Counted:
    """A stream that counts what is read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.n_bytes = 0

    def read(self, *size: int) -> bytes:
        """Read on."""
        data = self._stream.read(*size)
        self.n_bytes += len(data)
        return data


def read_whole(stream: BinaryIO, content_length: str | None, max_bytes: int) -> bytes:
    """Read a body, but not one that is too large or was cut off on its way.

    Raises
    ------
    TooLargeError
        When it has more than ``max_bytes`` bytes.
    TruncatedBodyError
        When it has fewer bytes than announced.
    """
    length = _announced(content_length)
    if length is not None and length > max_bytes:
        raise TooLargeError(f"A JSON body holds {max_bytes} bytes at most, this one has {length}.")
    data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLargeError(f"A JSON body holds {max_bytes} bytes at most.")
    if length is not None and len(data) != length:
        raise TruncatedBodyError(f"Content-Length says {length} bytes, {len(data)} arrived.")
    return data


def _announced(content_length: str | None) -> int | None:
    text = content_length or ""
    return int(text) if text.isascii() and text.isdigit() else None


def loads(data: bytes) -> Any:
    r"""Parse strict JSON.

    Raises
    ------
    MalformedRequestError
        On bytes that are not UTF-8, syntax errors, a name given twice in an object, NaN or Infinity, numbers outside
        of 64 bits, more than 32 levels, NUL characters, and halves of surrogate pairs.

    >>> loads(b'{"a": [1, 2.5, "x"]}')
    {'a': [1, 2.5, 'x']}
    """
    try:
        value = json.loads(
            decode(data, "utf-8", "strict"),
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise MalformedRequestError(f"The body is not UTF-8 (byte {error.start}).") from None
    except RecursionError:
        raise MalformedRequestError(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except json.JSONDecodeError as error:
        detail = f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        raise MalformedRequestError(detail) from None
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedRequestError(f"The name {_shown(twice)} stands twice in one object.")
    return value


def _integer(text: str) -> int:
    value = int(text) if len(text) <= _INT64_DIGITS else _INT64_MAX + 1
    if not -_INT64_MAX <= value <= _INT64_MAX:
        raise MalformedRequestError(f"The number {text[:24]} is outside of 64 bits.")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedRequestError(f"The number {text[:24]} is outside of 64 bits.")
    return value


def _constant(text: str) -> float:
    raise MalformedRequestError(f"{text} is not JSON; give null where there is no number.")


def _check(value: Any) -> None:
    """Walk the whole value once, level by level, without recursion."""
    level = [value]
    depth = 0
    while level:
        depth += 1
        following: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                following.extend(item.keys())
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
            elif isinstance(item, str):
                _check_text(item)
        if depth > MAX_DEPTH and any(isinstance(item, dict | list) for item in level):
            raise MalformedRequestError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        level = following


def _check_text(text: str) -> None:
    if "\0" in text:
        raise MalformedRequestError("A text holds a NUL character (U+0000).")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise MalformedRequestError("A text holds half of a surrogate pair.") from None


def _shown(name: str) -> str:
    return json.dumps(name[:64])
