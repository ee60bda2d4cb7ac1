"""Errors of HTTP itself: what is wrong with a request before any service sees it."""

from common.errors import DomainError


class MalformedRequestError(DomainError):
    """The request cannot be read; see the detail."""

    code = "malformed_request"
    http_status = 400


class TruncatedBodyError(MalformedRequestError):
    """The body is shorter than its Content-Length says; send it again."""

    code = "truncated_body"


class InvalidCursorError(MalformedRequestError):
    """This cursor was not given out by this list; start again without one."""

    code = "invalid_cursor"


class InvalidParameterError(MalformedRequestError):
    """A query parameter is unknown or has a value it cannot have."""

    code = "invalid_parameter"


class LengthRequiredError(DomainError):
    """Send a Content-Length; bodies of unknown length are not taken."""

    code = "length_required"
    http_status = 411


class MethodNotAllowedError(DomainError):
    """This address does not take that method."""

    code = "method_not_allowed"
    http_status = 405


class NotAcceptableError(DomainError):
    """The answer is JSON; accept application/json."""

    code = "not_acceptable"
    http_status = 406


class UnsupportedMediaTypeError(DomainError):
    """Send application/json, or multipart/form-data where files are uploaded."""

    code = "unsupported_media_type"
    http_status = 415


class ThrottledError(DomainError):
    """Too many requests; wait as long as Retry-After says."""

    code = "throttled"
    http_status = 429


class UnavailableError(DomainError):
    """The database is away or busy for a moment; nothing was changed, so send the same request again."""

    code = "unavailable"
    http_status = 503


class InternalError(DomainError):
    """Something broke on our side; it is logged under the request_id."""

    code = "internal_error"
    http_status = 500
