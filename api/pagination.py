"""Cursor pages."""

from rest_framework.pagination import CursorPagination


class SignedCursorPagination(CursorPagination):
    """Newest first; stable while rows are added."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 1000
