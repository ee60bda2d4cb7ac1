"""Errors raised before any view: problem+json under /api/, a page elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from api import problems


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refuses to route."""
    return problems.bad_request(request) if _is_api(request) else defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that does not exist."""
    return problems.not_found(request) if _is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what broke outside of any view."""
    return problems.server_error(request) if _is_api(request) else defaults.server_error(request)
