"""Single values of customers' files: checked here, so that nothing the database or a reader stumbles over gets in."""

import datetime
import decimal
import io
import json
import re
import tokenize
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curation.errors import MalformedDatasetError

MAX_KEY_LENGTH: Final = 200
MAX_URI_LENGTH: Final = 2000
MAX_CLASS_LENGTH: Final = 200
MAX_METADATA_BYTES: Final = 16 * 1024
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_UNREADABLE: Final = (ValueError, EOFError, OSError, SyntaxError, tokenize.TokenError, MemoryError, RecursionError)
"""What NumPy raises on headers that are not one: it parses them as Python literals."""


def bad(place: str, code: str, detail: str) -> MalformedDatasetError:
    """Return the error of one place in a file."""
    return MalformedDatasetError(detail, errors=[{"field": place, "code": code, "detail": detail}])


def plain_array(place: str, data: bytes) -> npt.NDArray[Any]:
    """Return the array in an .npy file, measured by its header before memory is taken for it.

    Raises
    ------
    MalformedDatasetError
        When it is no .npy file, would have to be unpickled, or is shorter than its header says.
    """
    try:
        return _load(data)
    except _UNREADABLE as error:
        raise bad(place, "malformed", f"{place} is not a plain array ({str(error)[:200]}).") from None


def _load(data: bytes) -> npt.NDArray[Any]:
    npy: Any = np.lib.format
    stream = io.BytesIO(data)
    read_header = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    n_bytes = dtype.itemsize
    for length in shape:
        n_bytes *= length
    if n_bytes > len(data):
        raise ValueError(f"its header says {n_bytes} bytes, there are {len(data)}")
    array: npt.NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def name_of(value: object) -> str:
    """Return a key, a URI or the name of a class as text, bytes too; what is no UTF-8 is refused by `text_of`."""
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)


def text_of(place: str, value: object, max_length: int, min_length: int = 0) -> str:
    """Return a text that is neither too long nor holds NUL or half of a surrogate pair.

    Raises
    ------
    MalformedDatasetError
        When it is not one.
    """
    if isinstance(value, str) and min_length <= len(value) <= max_length and "\0" not in value and _is_unicode(value):
        return value
    detail = f"{place} must be a text of {min_length} to {max_length} characters without NUL."
    raise bad(place, "length" if isinstance(value, str) else "type", detail)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def metadata_of(place: str, value: object) -> dict[str, Any]:
    """Return a small JSON object; dates and decimals become texts.

    Raises
    ------
    MalformedDatasetError
        When it is no object, too large, or holds what JSON or the database cannot.
    """
    if not isinstance(value, Mapping):
        raise bad(place, "malformed", f"{place} is not a JSON object.")
    try:
        text = json.dumps(value, allow_nan=False, default=_as_json, ensure_ascii=False)
        n_bytes = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise bad(place, "malformed", f"{place} is not plain JSON ({str(error)[:200]}).") from None
    if n_bytes > MAX_METADATA_BYTES:
        raise bad(place, "too_large", f"{place} has {n_bytes} bytes; metadata has {MAX_METADATA_BYTES} at most.")
    if _NUL.search(text):
        raise bad(place, "malformed", f"{place} holds a NUL character.")
    plain: dict[str, Any] = json.loads(text)
    return plain


def _as_json(value: object) -> str:
    if isinstance(value, datetime.date | datetime.time | decimal.Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def json_object(place: str, text: str) -> dict[str, Any]:
    """Return the JSON object in a text.

    Raises
    ------
    MalformedDatasetError
        When there is none; see `metadata_of`.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise bad(place, "malformed", f"{place} is not a JSON object.") from None
    return metadata_of(place, value)


def class_names(array: npt.NDArray[Any] | None) -> list[str]:
    """Return the names of classes, each once.

    Raises
    ------
    MalformedDatasetError
        When the array is not a list of different names.
    """
    if array is None:
        return []
    if array.ndim != 1:
        raise bad("classes", "shape", f"classes must be a list of names; got shape {array.shape}.")
    names = [text_of(f"classes[{i}]", name_of(name), MAX_CLASS_LENGTH, 1) for i, name in enumerate(array)]
    if len(set(names)) < len(names):
        raise bad("classes", "repeated", f"{len(names)} classes have {len(set(names))} different names.")
    return names
