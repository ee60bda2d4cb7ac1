"""The base of every resource: HTTP in, one service call, JSON out."""

import uuid
from typing import Any, ClassVar, TypeVar, cast

from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from api.errors import InvalidParameterError, LengthRequiredError, MalformedRequestError
from api.idempotency import IdempotentMixin
from api.pagination import SignedCursorPagination
from api.schema import ProblemSchema
from common.actors import Actor
from common.errors import NotFoundError
from common.ids import from_public

ModelT = TypeVar("ModelT", bound=Model)
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Resource(IdempotentMixin, ViewSet):
    """A noun of the API; ``action_scopes`` names the scope of each of its actions."""

    schema = ProblemSchema()
    pagination_class = SignedCursorPagination
    action_scopes: ClassVar[dict[str, str]] = {}
    ordering: ClassVar[str] = SignedCursorPagination.ordering
    action_parameters: ClassVar[dict[str, frozenset[str]]] = {}
    """Query parameters of each action besides those of pages; any other is refused."""

    def initial(self, request: Request, *arguments: Any, **parameters: Any) -> None:
        """Refuse what cannot be meant, before anything else is done with it."""
        super().initial(request, *arguments, **parameters)
        known = self.action_parameters.get(self.action or "", frozenset()) | SignedCursorPagination.parameters
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise InvalidParameterError(f"The parameter {unknown[0][:100]!r} is unknown here.")
        twice = sorted(name for name, values in request.query_params.lists() if len(values) > 1)
        if twice:
            raise InvalidParameterError(f"The parameter {twice[0]!r} is given twice.")
        if any("\0" in value for value in request.query_params.values()):
            raise MalformedRequestError("A parameter holds a NUL character.")
        if request.method in WITH_BODY and request.META.get("HTTP_TRANSFER_ENCODING"):
            raise LengthRequiredError

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return cast(Actor, self.request.auth)

    def given(self, body: type[Serializer[Any]], **options: Any) -> Any:
        """Return the request's body, checked."""
        serializer = body(data=self.request.data, **options)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def page(self, rows: QuerySet[Any], resource: type[Serializer[Any]], **context: Any) -> Response:
        """Answer one page of a list."""
        paginator = SignedCursorPagination()
        found = paginator.paginate_queryset(rows, self.request, view=self)
        return paginator.get_paginated_response(resource(found, many=True, context=context).data)

    def answer(self, value: Any, resource: type[Serializer[Any]], status: int = 200, **context: Any) -> Response:
        """Answer one thing."""
        return Response(resource(value, context=context).data, status=status)

    def parameter(self, name: str, *allowed: str) -> str | None:
        """Return a query parameter, one of the allowed words."""
        value = self.request.query_params.get(name)
        if value is not None and allowed and value not in allowed:
            raise InvalidParameterError(f"{name} is one of {', '.join(allowed)}.")
        return value

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """Return a query parameter that is a whole number in a range."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            raise InvalidParameterError(f"{name} is a whole number from {least} to {most}.")
        return int(text)


def id_in_path(prefix: str, text: str) -> uuid.UUID:
    """Return the id an address names; one that cannot exist is not found, like one that does not."""
    try:
        return from_public(prefix, text)
    except ValueError:
        raise NotFoundError from None


def found(rows: QuerySet[ModelT], identifier: uuid.UUID) -> ModelT:
    """Return the row of an id among those the actor may see, or raise NotFoundError."""
    row = rows.filter(pk=identifier).first()
    if row is None:
        raise NotFoundError
    return row
