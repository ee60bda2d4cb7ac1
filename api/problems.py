"""Every error as application/problem+json (RFC 9457): a code to act on, words to read, fields to mark."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from api import errors
from api.authentication import CHALLENGE
from common.errors import (
    DomainError,
    FieldError,
    NotAuthenticatedError,
    NotFoundError,
    PermissionDeniedError,
    TooLargeError,
    ValidationFailedError,
)

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"

_COUNTERPARTS: dict[type[Exception], type[DomainError]] = {
    Http404: NotFoundError,
    exceptions.NotFound: NotFoundError,
    PermissionDenied: PermissionDeniedError,
    exceptions.PermissionDenied: PermissionDeniedError,
    exceptions.NotAuthenticated: NotAuthenticatedError,
    exceptions.AuthenticationFailed: NotAuthenticatedError,
    exceptions.MethodNotAllowed: errors.MethodNotAllowedError,
    exceptions.NotAcceptable: errors.NotAcceptableError,
    exceptions.UnsupportedMediaType: errors.UnsupportedMediaTypeError,
    exceptions.ParseError: errors.MalformedRequestError,
    exceptions.Throttled: errors.ThrottledError,
    RequestDataTooBig: TooLargeError,
    UnreadablePostError: errors.TruncatedBodyError,
    OperationalError: errors.UnavailableError,
    InterfaceError: errors.UnavailableError,
    SuspiciousOperation: errors.MalformedRequestError,
}


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response:
    """Answer any exception of a view; what nobody foresaw is logged and told as an internal error."""
    error = domain_error_of(exception)
    if error.http_status >= 500:
        logger.error("unhandled error in %s", type(context.get("view")).__name__, exc_info=exception)
    set_rollback()
    response = Response(problem_of(error, context.get("request")), status=error.http_status)
    response.content_type = CONTENT_TYPE
    for name, value in _headers(error, exception).items():
        response[name] = value
    return response


def domain_error_of(exception: Exception) -> DomainError:
    """Return the domain error that says what an exception of Django or DRF says."""
    if isinstance(exception, DomainError):
        return exception
    if isinstance(exception, exceptions.ValidationError):
        return ValidationFailedError(errors=list(field_errors(exception.detail, exception.get_codes())))
    for kind, counterpart in _COUNTERPARTS.items():
        if isinstance(exception, kind):
            return counterpart(_detail_of(exception))
    return errors.InternalError()


def _detail_of(exception: Exception) -> str:
    told = isinstance(exception, exceptions.MethodNotAllowed | exceptions.ParseError | exceptions.UnsupportedMediaType)
    return str(exception) if told else ""


def field_errors(detail: Any, codes: Any, path: str = "") -> Iterator[FieldError]:
    """Flatten DRF's nested details into one error a field, with paths such as ``records[2].key``.

    >>> list(field_errors({"a": [{"b": ["Bad."]}]}, {"a": [{"b": ["bad"]}]}))
    [{'field': 'a[0].b', 'code': 'bad', 'detail': 'Bad.'}]
    """
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from field_errors(inner, codes[name], _joined(path, name))
    elif isinstance(detail, list):
        for place, (inner, code) in enumerate(zip(detail, codes, strict=True)):
            nested = isinstance(inner, dict | list)
            yield from field_errors(inner, code, f"{path}[{place}]" if nested else path)
    else:
        yield {"field": path, "code": str(codes), "detail": str(detail)}


def _joined(path: str, name: object) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return path
    return f"{path}.{name}" if path else str(name)


def problem_of(error: DomainError, request: Any) -> dict[str, Any]:
    """Return the body of an error."""
    body: dict[str, Any] = {
        "type": f"urn:labelyard:error:{error.code}",
        "title": error.title(),
        "status": error.http_status,
        "code": error.code,
        "detail": error.detail,
        "errors": error.errors,
        "request_id": getattr(getattr(request, "_request", request), "request_id", ""),
    }
    return body | ({"facts": error.facts} if error.facts else {})


def _headers(error: DomainError, exception: Exception) -> dict[str, str]:
    headers = {}
    if error.http_status == NotAuthenticatedError.http_status:
        headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, errors.ThrottledError | errors.UnavailableError):
        headers["Retry-After"] = str(int(getattr(exception, "wait", None) or 0) + 1)
    return headers


def response_of(error: DomainError, request: HttpRequest) -> HttpResponse:
    """Answer an error outside of any API view."""
    body = json.dumps(problem_of(error, request), default=str)
    return HttpResponse(body, status=error.http_status, content_type=CONTENT_TYPE)


def not_found(request: HttpRequest, exception: Exception | None = None, **_: Any) -> HttpResponse:
    """Answer an address that does not exist."""
    return response_of(NotFoundError("There is nothing at this address; see /api/docs/."), request)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request Django refuses to route."""
    return response_of(errors.MalformedRequestError(), request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what broke outside of any API view; Django has logged it."""
    return response_of(errors.InternalError(), request)
