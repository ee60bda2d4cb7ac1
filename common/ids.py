"""Identifiers: UUIDv7 inside, ``prefix_`` + 26 lower-case Crockford base32 characters outside."""

import os
import threading
import time
import uuid

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE_OF = {character: value for value, character in enumerate(_ALPHABET)}
_TEXT_LENGTH = 26


_FRACTION_BITS = 12
_lock = threading.Lock()
_last_tick = 0


def uuid7() -> uuid.UUID:
    """Return a time-ordered UUID (RFC 9562, version 7), larger than any this process made before.

    48 bits of milliseconds, 12 bits of fraction that count on within one tick, 62 random bits.
    """
    tick = _next_tick()
    milliseconds, fraction = tick >> _FRACTION_BITS, tick & (1 << _FRACTION_BITS) - 1
    random_bits = int.from_bytes(os.urandom(8), "big") >> 2
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random_bits
    return uuid.UUID(int=value)


def _next_tick() -> int:
    global _last_tick  # noqa: PLW0603 (the order of a process's ids is a fact about the process)
    now = (time.time_ns() << _FRACTION_BITS) // 1_000_000
    with _lock:
        _last_tick = max(now, _last_tick + 1)
        return _last_tick


def to_public(prefix: str, identifier: uuid.UUID) -> str:
    """Return the outside form of an identifier.

    >>> to_public("job", uuid.UUID(int=1))
    'job_00000000000000000000000001'
    """
    value = identifier.int
    digits = [_ALPHABET[value >> 5 * place & 31] for place in reversed(range(_TEXT_LENGTH))]
    return f"{prefix}_{''.join(digits)}"


def from_public(prefix: str, text: str) -> uuid.UUID:
    """Return the identifier behind its outside form; exact inverse of `to_public`.

    Raises
    ------
    ValueError
        When the text is not ``prefix`` + ``_`` + 26 digits of a 128-bit number.

    >>> from_public("job", "job_00000000000000000000000001").int
    1
    """
    head, _, digits = text.partition("_")
    if head != prefix or len(digits) != _TEXT_LENGTH or not set(digits) <= _VALUE_OF.keys():
        raise ValueError(f"{text[:64]!r} is not an id of the form {prefix}_ and {_TEXT_LENGTH} characters")
    value = 0
    for character in digits:
        value = value << 5 | _VALUE_OF[character]
    if value >> 128:
        raise ValueError(f"{text!r} is larger than a 128-bit id")
    return uuid.UUID(int=value)
