"""When a vendor works."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import DayField, TextField
from api.serializers import Body, EmptyBody, Resource, many
from common.errors import ValidationFailedError
from vendors.core.calendar import WEEKDAYS, minute_of
from vendors.selectors import hours as stated_hours
from vendors.selectors import vendors
from vendors.services import hours

MAX_STRETCHES = 24
MAX_CLOSURES = 366


class StretchIn(Body):
    """A stretch of a day, `HH:MM` to `HH:MM` on the vendor's clock, 24:00 for midnight."""

    opens = TextField(max_length=5)
    closes = TextField(max_length=5)


class WeeklyIn(Body):
    """Hours by day; a day left out is free."""

    mon = many(StretchIn, required=False, max_items=MAX_STRETCHES)
    tue = many(StretchIn, required=False, max_items=MAX_STRETCHES)
    wed = many(StretchIn, required=False, max_items=MAX_STRETCHES)
    thu = many(StretchIn, required=False, max_items=MAX_STRETCHES)
    fri = many(StretchIn, required=False, max_items=MAX_STRETCHES)
    sat = many(StretchIn, required=False, max_items=MAX_STRETCHES)
    sun = many(StretchIn, required=False, max_items=MAX_STRETCHES)


class ClosureIn(Body):
    """Days on which the vendor is closed, both included."""

    first_day = DayField()
    last_day = DayField()


class HoursIn(Body):
    """Weekly hours in a time zone, less the days closed."""

    time_zone = TextField(max_length=64, help_text="An IANA name, such as Europe/Berlin.")
    weekly = WeeklyIn()
    closures = many(ClosureIn, required=False, max_items=MAX_CLOSURES)


class StretchOut(Resource):
    """A stretch of a day."""

    opens = serializers.CharField()
    closes = serializers.CharField()


class ClosureOut(Resource):
    """Days closed."""

    first_day = serializers.DateField()
    last_day = serializers.DateField()


class HoursOut(Resource):
    """What the vendor stated, and the stretch in which it is open now or next."""

    keeps_hours = serializers.BooleanField(help_text="False: the vendor is always open.")
    time_zone = serializers.CharField()
    weekly = serializers.DictField(child=StretchOut(many=True))
    closures = ClosureOut(many=True)
    open_from = serializers.DateTimeField(allow_null=True)
    open_until = serializers.DateTimeField(allow_null=True)


_ALWAYS_OPEN: dict[str, Any] = {
    "keeps_hours": False,
    "time_zone": "UTC",
    "weekly": {},
    "closures": [],
    "open_from": None,
    "open_until": None,
}


class HoursView(views.Resource):
    """The hours of the caller's vendor."""

    action_scopes = {"retrieve": "vendor:read", "update": "vendor:write", "drop": "vendor:write"}

    @extend_schema(responses=HoursOut)
    def retrieve(self, request: Request) -> Response:
        """Return the hours kept; without any the vendor is always open."""
        found = stated_hours.of_vendor(vendors.own(self.actor))
        if found is None:
            return self.answer(_ALWAYS_OPEN, HoursOut)
        weekly = {day: [{"opens": a, "closes": b} for a, b in spans] for day, spans in found.weekly.items()}
        shown = {
            "keeps_hours": True,
            "time_zone": found.time_zone,
            "weekly": weekly,
            "closures": [{"first_day": first, "last_day": last} for first, last in found.closures],
            "open_from": found.open_from,
            "open_until": found.open_until,
        }
        return self.answer(shown, HoursOut)

    @extend_schema(request=HoursIn, responses=HoursOut)
    def update(self, request: Request) -> Response:
        """State the hours; they replace the former ones. Offers are then made and timed in them."""
        given = self.given(HoursIn)
        closures = [(row["first_day"], row["last_day"]) for row in given.get("closures", [])]
        hours.state(actor=self.actor, time_zone=given["time_zone"], weekly=_weekly(given["weekly"]), closures=closures)
        return self.retrieve(request)

    @extend_schema(request=EmptyBody, responses=HoursOut)
    def drop(self, request: Request) -> Response:
        """Keep no hours any more: always open."""
        self.given(EmptyBody)
        hours.drop(actor=self.actor)
        return self.retrieve(request)


def _weekly(given: dict[str, list[dict[str, Any]]]) -> dict[str, list[tuple[int, int]]]:
    return {day: [_minutes(day, n, row) for n, row in enumerate(given.get(day, []))] for day in WEEKDAYS}


def _minutes(day: str, number: int, row: dict[str, Any]) -> tuple[int, int]:
    found = []
    for end in ("opens", "closes"):
        try:
            found.append(minute_of(row[end]))
        except ValueError as error:
            field = f"weekly.{day}[{number}].{end}"
            raise ValidationFailedError.of(field, "invalid_time", f"{error}.".capitalize()) from None
    return found[0], found[1]
