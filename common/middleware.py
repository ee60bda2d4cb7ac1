"""Every request carries an id, given back in the answer and in each log line."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from common.ids import to_public, uuid7


class RequestIdMiddleware:
    """Give each request an id of ours; a client's own is not trusted into our logs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set ``request.request_id`` and the X-Request-Id header of the answer."""
        request.request_id = to_public("req", uuid7())  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response
