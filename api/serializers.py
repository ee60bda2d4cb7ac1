"""The base of every body that comes in: what the endpoint does not know is an error, never ignored."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from api.fields import PublicIdField


class Body(serializers.Serializer[Any]):
    """A JSON object with known fields only."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse unknown fields, each by its name."""
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self._writable]
            if unknown:
                words = serializers.ErrorDetail("This field is unknown here.", code="unknown_field")
                raise serializers.ValidationError({str(name)[:100]: [words] for name in unknown[:20]})
        value: dict[str, Any] = super().to_internal_value(data)
        return value

    @property
    def _writable(self) -> set[str]:
        known = self.__dict__.get("_known_names")
        if known is None:
            known = {name for name, field in self.fields.items() if not field.read_only}
            self.__dict__["_known_names"] = known
        return known


class EmptyBody(Body):
    """Nothing at all, or an empty object."""


class Resource(serializers.Serializer[Any]):
    """What the API gives out; every field is read-only."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.read_only = True


def many(body: type[Body], *, max_items: int, **options: Any) -> serializers.ListSerializer[Any]:
    """Return a field of a list of bodies."""
    return body(many=True, max_length=max_items, **options)  # type: ignore[call-arg,return-value]


def own_id(prefix: str) -> PublicIdField:
    """Return the field of a row's own id."""
    return PublicIdField(prefix, source="pk", read_only=True)
