"""The tree of domain errors: each has a code, an HTTP status, and facts; its docstring is its message."""

import inspect
from typing import Any, ClassVar, TypedDict


class FieldError(TypedDict):
    """One thing wrong with one field of the input."""

    field: str
    code: str
    detail: str


class DomainError(Exception):
    """The request could not be carried out."""

    code: ClassVar[str] = "domain_error"
    http_status: ClassVar[int] = 400

    def __init__(self, detail: str = "", *, errors: list[FieldError] | None = None, **facts: Any) -> None:
        self.detail = detail or self.title()
        self.errors = errors or []
        self.facts = facts
        super().__init__(self.detail)

    @classmethod
    def title(cls) -> str:
        """Return the error's one-sentence message, the first line of its docstring."""
        return (inspect.getdoc(cls) or cls.__name__).splitlines()[0]


class ValidationFailedError(DomainError):
    """The input breaks a rule; the errors name the fields and the way out."""

    code = "validation_failed"
    http_status = 422

    @classmethod
    def of(cls, field: str, code: str, detail: str) -> "ValidationFailedError":
        """Return the error of a single field."""
        return cls(detail, errors=[{"field": field, "code": code, "detail": detail}])


class NotAuthenticatedError(DomainError):
    """Give a valid API key as `Authorization: Bearer ly_live_...`."""

    code = "not_authenticated"
    http_status = 401


class PermissionDeniedError(DomainError):
    """This key or role may not do that."""

    code = "permission_denied"
    http_status = 403


class NotFoundError(DomainError):
    """There is no such thing, or it is not yours."""

    code = "not_found"
    http_status = 404


class ConflictError(DomainError):
    """The thing is in a state in which this cannot be done."""

    code = "conflict"
    http_status = 409


class IdempotencyMismatchError(ConflictError):
    """This Idempotency-Key was used with another request; use a new key."""

    code = "idempotency_key_reused"


class IdempotencyInProgressError(ConflictError):
    """A request with this Idempotency-Key is still running; try again shortly."""

    code = "idempotency_in_progress"


class TooLargeError(DomainError):
    """The body is larger than this endpoint takes."""

    code = "too_large"
    http_status = 413
