"""What comes back of a job: labels with their confidence, and the feed of everything that happened."""

import uuid
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.errors import InvalidParameterError
from api.fields import MAX_BIGINT, LabelField, PublicIdField
from api.serializers import Resource
from common.errors import ValidationFailedError
from common.ids import to_public
from marketplace.models import JobRecord, RoutingEvent
from marketplace.selectors import exports, jobs

_KINDS = {
    "json": "application/json",
    "coco": "application/json",
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
}


class LabelOut(Resource):
    """A record with what is known of its label."""

    key = serializers.CharField()
    state = serializers.CharField()
    label = LabelField(source="shown_label", allow_null=True)  # type: ignore[assignment]
    cannot_label = serializers.SerializerMethodField()
    confidence = serializers.FloatField(allow_null=True)
    lot = serializers.IntegerField(source="lot.number")
    given_by = serializers.CharField(help_text="`people`, or `machine`: a model's label that stands without a person.")

    def get_cannot_label(self, record: JobRecord) -> str | None:
        """Return why it cannot be labeled."""
        return record.reason or None


class EventOut(Resource):
    """Something that happened; ``id`` grows and is what ``after`` takes."""

    id = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    kind = serializers.CharField()
    subject = serializers.SerializerMethodField()
    lot = PublicIdField("lot", source="lot_id", allow_null=True)
    batch = PublicIdField("bat", source="batch_id", allow_null=True)
    vendor = PublicIdField("ven", source="vendor_id", allow_null=True)
    vendor_name = serializers.CharField(source="vendor.name", default=None, allow_null=True)
    facts = serializers.SerializerMethodField()

    def get_subject(self, event: RoutingEvent) -> str | None:
        """Return the id of what it happened to."""
        return subject_of(event)

    def get_facts(self, event: RoutingEvent) -> dict[str, Any]:
        """Return the details, ids in their outside form."""
        return {name: _public(name, value) for name, value in event.facts.items()}


_SUBJECT_PREFIXES = {"offer": "off", "rule": "eff", "dispute": "dsp", "settlement": "sta"}
_FACT_PREFIXES = {"correction": "cor", "assignment": "asg", "run": "rnk"}


def subject_of(event: RoutingEvent) -> str | None:
    """Return the public id of an event's subject: the job, lot or batch it names, else what its kind says."""
    if event.subject is None:
        return None
    owners = {event.job_id: "job", event.lot_id: "lot", event.batch_id: "bat"}
    other = _SUBJECT_PREFIXES.get(event.kind.partition(".")[0], "asg")
    return to_public(owners.get(event.subject, other), event.subject)


def _public(name: str, value: Any) -> Any:
    if name not in _FACT_PREFIXES or not isinstance(value, str):
        return value
    try:
        return to_public(_FACT_PREFIXES[name], uuid.UUID(value))
    except ValueError:
        return value


class LabelsView(views.Resource):
    """Labels in the order in which they were asked for."""

    action_scopes = {"list": "jobs:read"}
    ordering = "id"

    @extend_schema(responses=LabelOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List a job's records with their labels."""
        return self.page(jobs.labels(self.actor, views.id_in_path("job", public_id)), LabelOut)


def _described(kind: str) -> OpenApiTypes:
    return OpenApiTypes.OBJECT if kind == "application/json" else OpenApiTypes.STR


class ExportView(views.Resource):
    """All labels of a job as one file."""

    action_scopes = {"export": "jobs:read"}
    action_parameters = {"export": frozenset({"form"})}

    @extend_schema(
        parameters=[OpenApiParameter("form", enum=list(exports.FORMS), description="Default: json.")],
        responses={(200, kind): _described(kind) for kind in sorted(set(_KINDS.values()))},
    )
    def export(self, request: Request, public_id: str) -> HttpResponseBase:
        """Export labels as JSON, JSON lines, CSV, or COCO for boxes and polygons."""
        form = self.parameter("form", *exports.FORMS) or "json"
        try:
            parts = exports.of_job(self.actor, views.id_in_path("job", public_id), form)
        except ValidationFailedError as error:
            raise InvalidParameterError(error.detail) from None
        suffix = "coco.json" if form == "coco" else form
        headers = {
            "Content-Disposition": f'attachment; filename="labels.{suffix}"',
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingHttpResponse(parts, content_type=_KINDS[form], headers=headers)


class EventsView(views.Resource):
    """The append-only feed."""

    action_scopes = {"list": "jobs:read"}
    action_parameters = {"list": frozenset({"after"})}
    ordering = "id"

    @extend_schema(parameters=[OpenApiParameter("after", int)], responses=EventOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List what happened after an event, oldest first."""
        after = self.number("after", default=0, least=0, most=MAX_BIGINT)
        return self.page(jobs.feed(self.actor, views.id_in_path("job", public_id), after=after), EventOut)
