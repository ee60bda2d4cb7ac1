"""Errors in the provider's form."""

from typing import Any


class ProviderError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, kind: str, message: str, code: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "error": {"type": kind, "message": message} | ({"code": code} if code else {}) | more
        }


def missing(kind: str, identifier: str) -> ProviderError:
    """Return the error for a thing that does not exist."""
    return ProviderError(404, "invalid_request_error", f"No such {kind}: '{identifier}'", "resource_missing")
