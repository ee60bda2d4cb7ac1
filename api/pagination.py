"""Cursor pages: stable while rows are added, cursors signed, so that a forged one is refused and not interpreted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.db.models import QuerySet
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from api.errors import InvalidCursorError, InvalidParameterError

if TYPE_CHECKING:  # DRF imports this module while it imports its own views
    from rest_framework.views import APIView

_SALT = "api.cursor"
_LONGEST = 500


class SignedCursorPagination(CursorPagination):
    """Newest first unless the view says otherwise (``ordering``); a cursor serves the list it came from only."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 1000
    parameters = frozenset({"cursor", "page_size"})

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        """Return the page the request asks for."""
        self._signer = signing.Signer(salt=f"{_SALT}:{request.path}")
        return super().paginate_queryset(queryset, request, view)

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> tuple[str, ...]:
        """Return the view's order; clients cannot choose one."""
        return (getattr(view, "ordering", self.ordering),)

    def get_page_size(self, request: Request) -> int | None:
        """Return the asked page size, refusing what is not one."""
        text = request.query_params.get(self.page_size_query_param)
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= self.max_page_size):
            raise InvalidParameterError(f"page_size is a number from 1 to {self.max_page_size}.")
        return int(text)

    def encode_cursor(self, cursor: Cursor) -> str:
        """Return the address of a page."""
        token = self._signer.sign_object([cursor.offset, cursor.reverse, cursor.position])
        return str(replace_query_param(self.base_url or "", self.cursor_query_param, token))

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the position that the request's cursor stands for."""
        token = request.query_params.get(self.cursor_query_param)
        if token is None:
            return None
        try:
            offset, reverse, position = self._signer.unsign_object(token[:_LONGEST])
        except (signing.BadSignature, UnicodeError):
            raise InvalidCursorError from None
        return Cursor(offset=offset, reverse=reverse, position=position)
