"""What goes to and fro between us and the payment provider: three errors that say what to do, and plain values."""

from dataclasses import dataclass, field
from typing import Any


class RefusedError(Exception):
    """The provider said no; trying again would not help."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BusyError(Exception):
    """The provider did nothing, for now: try again later with the same key."""


class UnknownOutcomeError(Exception):
    """Nobody knows whether it happened; ``is_saved`` when the same key would only get the same error again."""

    def __init__(self, message: str, *, is_saved: bool) -> None:
        super().__init__(message)
        self.is_saved = is_saved


class SignatureError(Exception):
    """A webhook does not come from the provider, or is too old."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Money moved, or about to: its id there, how it stands, amount and fee in minor units."""

    id: str
    status: str
    amount: int
    currency: str
    fee: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class PayoutAccount:
    """A vendor's account: whether it can be sent money, and what is missing."""

    id: str
    is_ready: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something the provider tells of; the object is only named, never trusted: it is fetched anew."""

    id: str
    kind: str
    object_id: str
    facts: dict[str, Any] = field(default_factory=dict)
    created_s: int = 0


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """A line of the provider's own books, in minor units; ``reference`` is our name or the provider's for the cause."""

    id: str
    kind: str
    amount: int
    fee: int
    currency: str
    reference: str
    created: int
