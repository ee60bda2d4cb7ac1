"""Answers kept by idempotency key: the same key gets the same answer, or is refused for another request."""

from dataclasses import dataclass, field
from typing import Any, Final

from embedded.payments.errors import ProviderError

KEEP_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered."""

    status: int
    body: dict[str, Any]


@dataclass
class Replies:
    """The answers of the last day, and the keys being worked on. Used under the books' lock."""

    _kept: dict[str, tuple[str, Reply, int]] = field(default_factory=dict)
    _running: set[str] = field(default_factory=set)

    def begin(self, key: str, fingerprint: str, now: int) -> Reply | None:
        """Return the answer this key had, or None when the request is new.

        Raises
        ------
        ProviderError
            400 when the key came with another request, 409 while the first one runs.
        """
        kept = self._kept.get(key)
        if kept is not None and now - kept[2] >= KEEP_S:
            del self._kept[key]
            kept = None
        if kept is not None:
            if kept[0] != fingerprint:
                detail = f"Keys for idempotent requests can only be used with the same parameters: '{key}'."
                raise ProviderError(400, "idempotency_error", detail)
            return kept[1]
        if key in self._running:
            raise in_flight(key)
        self._running.add(key)
        return None

    def end(self, key: str, fingerprint: str, reply: Reply | None, now: int) -> None:
        """Keep an answer; None when the request was turned away before it began."""
        self._running.discard(key)
        if reply is not None:
            self._kept[key] = (fingerprint, reply, now)


def in_flight(key: str) -> ProviderError:
    """Return the refusal of a key that is being worked on."""
    detail = f"There is currently another in-progress request using this idempotent key ({key})."
    return ProviderError(409, "idempotency_error", detail, "idempotency_key_in_use")
