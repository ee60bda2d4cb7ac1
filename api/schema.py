"""What the OpenAPI document says beyond the fields: the key, the errors every operation may answer."""

from typing import Any, Literal, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from api.permissions import OPEN
from api.problems import CONTENT_TYPE

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="Sent again under the same key, the request is not run again: the first answer comes back.",
)


class ProblemField(serializers.Serializer[Any]):
    """One thing wrong with one field."""

    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """An error (RFC 9457): act on ``code``, read ``detail``, mark ``errors``."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = ProblemField(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField()
    facts = serializers.DictField(required=False)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The bearer key."""

    target_class = "api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ly_live_<key>_<secret>"}


class BodyExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Tells that unknown fields are refused."""

    target_class = "api.serializers.Body"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Literal["request", "response"]) -> dict[str, Any]:
        """Return the schema of a body."""
        schema: dict[str, Any] = cast(Any, auto_schema)._map_serializer(self.target, direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}


class ProblemSchema(AutoSchema):
    """Documents the errors, the scope and the Idempotency-Key of each operation."""

    def get_override_parameters(self) -> list[Any]:
        """Add the header of repeatable writes."""
        is_write = self.method in {"POST", "PUT", "PATCH"}
        return [IDEMPOTENCY] if is_write and not self._is_open() else []

    def get_description(self) -> str:  # type: ignore[override]
        """Name the scope."""
        words: str = super().get_description() or ""
        scope = self._scope()
        return words if scope == OPEN else f"{words}\n\nScope: `{scope}`."

    def get_tags(self) -> list[str]:
        """Group by resource."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_operation_id(self) -> str:
        """Return ``resource_action``, unique by view and action."""
        parts = [part for part in self.path.removeprefix("/api/v1/").split("/") if part and "{" not in part]
        return "_".join([*(part.replace("-", "_") for part in parts), self._action()])

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return the key, or nothing where none is needed."""
        return [] if self._is_open() else [{"ApiKey": []}]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status in self._failures():
            bodies.setdefault(str(status), self._problem_response(status))
        return dict(sorted(bodies.items()))

    def _failures(self) -> list[int]:
        statuses = [400, 406, 503]
        statuses += [] if self._is_open() else [401, 403]
        statuses += [404] if "{" in self.path or not self._is_open() else []
        statuses += [409, 411, 413, 415, 422] if self.method in {"POST", "PUT", "PATCH"} else []
        return statuses

    def _problem_response(self, status: int) -> dict[str, Any]:
        component = self.resolve_serializer(Problem, "response")
        return {"description": _TITLES[status], "content": {CONTENT_TYPE: {"schema": component.ref}}}

    def _scope(self) -> str:
        return str(getattr(self.view, "action_scopes", {}).get(self._action(), ""))

    def _action(self) -> str:
        return str(getattr(self.view, "action", ""))

    def _is_open(self) -> bool:
        return self._scope() == OPEN


_TITLES = {
    400: "The request cannot be read.",
    401: "There is no valid key.",
    403: "The key may not do that.",
    404: "There is no such thing, or it is not yours.",
    406: "The answer is JSON only.",
    409: "The thing is in a state in which this cannot be done.",
    411: "The Content-Length is missing.",
    413: "The body is too large.",
    415: "The body is not of a type this takes.",
    503: "The database is away for a moment; send the same request again.",
    422: "The input breaks a rule; the errors name the fields.",
}
