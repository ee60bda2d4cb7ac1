"""The text form of API keys: ``ly_live_<26 characters that name the key>_<secret>``."""

import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import dataclass
from typing import Final

from common.ids import to_public

_PREFIX: Final = "ly_live_"
_SECRET_BYTES: Final = 32
_FORM: Final = re.compile(r"ly_live_(?P<name>[0-9a-hj-km-np-tv-z]{26})_(?P<secret>[A-Za-z0-9_-]{1,100})")


@dataclass(frozen=True, slots=True)
class Token:
    """The two parts of a presented key."""

    public_part: str
    secret: str


def public_part_of(key_id: uuid.UUID) -> str:
    """Return the part of a key that names it and may be logged."""
    return to_public("key", key_id).removeprefix("key_")


def new_secret() -> str:
    """Return a fresh secret of 256 random bits."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def render(public_part: str, secret: str) -> str:
    """Return the text a client presents."""
    return f"{_PREFIX}{public_part}_{secret}"


def parse(text: str) -> Token | None:
    """Return the parts of a presented key, or None when it has not the form of one.

    >>> parse("ly_live_00000000000000000000000001_se_cret").secret
    'se_cret'
    >>> parse("Bearer nonsense") is None
    True
    """
    match = _FORM.fullmatch(text)
    return Token(match["name"], match["secret"]) if match else None


def digest(secret: str) -> str:
    """Return what is stored of a secret; a plain hash suffices for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Compare a presented secret with the stored hash in constant time."""
    return hmac.compare_digest(digest(secret), stored)
