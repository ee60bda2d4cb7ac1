"""JSON that means one thing only."""

import io

import pytest

from api.errors import MalformedRequestError, TruncatedBodyError
from api.parsers import MAX_DEPTH, loads, read_whole
from common.errors import TooLargeError


def nested(levels: int) -> bytes:
    """Return so many arrays in each other."""
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} {}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 9223372036854775808}',
        b'{"a": -9223372036854775808}',
        b'{"a": ' + b"9" * 10_000 + b"}",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": ["\\ud800"]}',
        b'{"\\udfff": 1}',
        b'{"a": "\x00"}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        nested(MAX_DEPTH + 1),
        nested(100_000),
        b'{"a":' * 100_000,
    ],
)
def test_what_is_ambiguous_is_refused(data):
    with pytest.raises(MalformedRequestError):
        loads(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"é": "x"}'.encode(), {"é": "x"}),
        (b"9223372036854775807", 2**63 - 1),
        (b'[1.5, -0, true, null, ""]', [1.5, 0, True, None, ""]),
    ],
)
def test_what_is_clear_is_taken(data, value):
    assert loads(data) == value


def test_the_deepest_body_taken():
    assert loads(nested(MAX_DEPTH)) is not None


def test_a_body_is_whole_and_not_too_large():
    assert read_whole(io.BytesIO(b"{}"), "2", 10) == b"{}"
    assert read_whole(io.BytesIO(b"{}"), None, 10) == b"{}"
    with pytest.raises(TruncatedBodyError):
        read_whole(io.BytesIO(b"{"), "2", 10)
    for length in ("11", None):
        with pytest.raises(TooLargeError):
            read_whole(io.BytesIO(b" " * 11), length, 10)
