"""Fields that take exactly what they say: no number for a text, no "1" for true, no foreign kind of id."""

import datetime
import json
import math
import uuid
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.ids import from_public, to_public

MAX_BIGINT: Final = 2**63 - 1
_ID_PATTERN: Final = "[0-9a-hj-km-np-tv-z]{26}"
_METADATA_BYTES: Final = 16 * 1024
_LABEL_BYTES: Final = 512 * 1024
_TEXT_LABEL: Final = 100_000


class TextField(serializers.CharField):
    """A text; numbers are not turned into one."""

    def __init__(self, *, max_length: int = 200, **options: Any) -> None:
        super().__init__(max_length=max_length, trim_whitespace=False, **options)

    def to_internal_value(self, data: object) -> str:
        """Refuse whatever is not a text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class IntegerField(serializers.IntegerField):
    """A whole number; neither a text nor true nor 1.0 is one."""

    def __init__(self, *, min_value: int = 0, max_value: int = MAX_BIGINT, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_internal_value(self, data: object) -> int:
        """Refuse whatever is not a whole number."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class NumberField(serializers.FloatField):
    """A finite number."""

    def to_internal_value(self, data: object) -> float:
        """Refuse whatever is not a number."""
        if not isinstance(data, int | float) or isinstance(data, bool) or not math.isfinite(data):
            self.fail("invalid")
        return float(data)


class RatioField(NumberField):
    """A number from 0 to 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0.0, max_value=1.0, **options)


class BooleanField(serializers.BooleanField):
    """True or false, and nothing that looks like it."""

    def to_internal_value(self, data: object) -> bool:
        """Refuse whatever is not a boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class InstantField(serializers.DateTimeField):
    """A point in time with its offset, ISO 8601; always given back in UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=datetime.UTC, **options)

    def to_internal_value(self, value: object) -> datetime.datetime:
        """Refuse texts without an offset: they mean another time in each place."""
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        try:
            parsed = datetime.datetime.fromisoformat(value)
            inside = parsed.tzinfo is not None and parsed.astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            inside = False
        if not inside:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        return inside


class DayField(serializers.DateField):
    """A day of the calendar, YYYY-MM-DD."""

    def to_internal_value(self, value: Any) -> datetime.date:
        """Refuse whatever is not a text of that form."""
        if not isinstance(value, str) or not value.isascii():
            self.fail("invalid", format="YYYY-MM-DD")
        day: datetime.date = super().to_internal_value(value)
        return day


class PublicIdField(serializers.CharField):
    """An id such as ``job_01j...``: a UUID inside."""

    default_error_messages = {"invalid_id": "This is not an id of the form {prefix}_ and 26 characters."}

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(**options)
        self.prefix = prefix
        self._spectacular_annotation = {"field": {"type": "string", "pattern": f"^{prefix}_{_ID_PATTERN}$"}}

    def to_internal_value(self, data: object) -> uuid.UUID:  # type: ignore[override]
        """Return the UUID."""
        try:
            return from_public(self.prefix, data if isinstance(data, str) else "")
        except ValueError:
            self.fail("invalid_id", prefix=self.prefix)

    def to_representation(self, value: Any) -> str:
        """Return the outside form of a UUID or of a row."""
        return to_public(self.prefix, value if isinstance(value, uuid.UUID) else value.pk)


class MetadataField(serializers.DictField):
    """A small JSON object of the customer's, kept as it is."""

    default_error_messages = {"too_large": "Metadata holds {most} bytes of JSON at most."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse objects that are too large."""
        value: dict[str, Any] = super().to_internal_value(data)
        if len(json.dumps(value)) > _METADATA_BYTES:
            self.fail("too_large", most=_METADATA_BYTES)
        return value


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string"},
            {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "object"}]}},
            {"type": "object", "additionalProperties": True},
        ],
        "description": "A class name (classification), a text, a list of names (multilabel, ranking) or of objects "
        "(boxes, polygons, spans, cuboids), or points by name: the form of the label schema's task type.",
    }
)
class LabelField(serializers.Field[Any, Any, Any, Any]):
    """A label in the JSON form of its task type; the schema's own check looks inside."""

    default_error_messages = {
        "invalid": "A label is a text, a list or an object, as the label schema's task type wants it.",
        "too_large": "A label holds {most} characters at most.",
    }

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is no label of any task type."""
        if not isinstance(data, str | list | dict):
            self.fail("invalid")
        if not isinstance(data, str) and len(json.dumps(data)) > _LABEL_BYTES:
            self.fail("too_large", most=_LABEL_BYTES)
        if isinstance(data, str) and len(data) > _TEXT_LABEL:
            self.fail("too_large", most=_TEXT_LABEL)
        return data

    def to_representation(self, value: Any) -> Any:
        """Labels go out as they came in."""
        return value


def texts(*, max_length: int = 200, max_items: int = 100, **options: Any) -> serializers.ListField:
    """Return a field of a list of texts."""
    return serializers.ListField(child=TextField(max_length=max_length), max_length=max_items, **options)


def choice(*values: str, **options: Any) -> "ChoiceField":
    """Return a field of a closed set of words."""
    return ChoiceField(choices=[(value, value) for value in values], **options)


class ChoiceField(serializers.ChoiceField):
    """One of a closed set of words, told in full when another is given."""

    default_error_messages = {"invalid_choice": "Give one of {known}."}

    def to_internal_value(self, data: object) -> str:
        """Refuse whatever is not one of the words."""
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", known=", ".join(map(str, self.choices)))
        return data
