"""Accepted work: the records to label, the answers on them."""

import uuid
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fates import NextOut
from api.fields import LabelField, NumberField, PublicIdField, TextField
from api.serializers import Body, Resource, many, own_id
from api.v1.answers import AnswerIn
from common.errors import FieldError, ValidationFailedError
from common.ids import to_public
from marketplace.core.states import AssignmentState
from marketplace.models import Assignment, BatchItem, InstructionVersion, PreLabel
from marketplace.selectors import work
from marketplace.services import annotations, assignments, prelabels
from marketplace.services.annotations import Answer, content_of

STATES = [state.value for state in AssignmentState]
MAX_ANNOTATIONS = 10_000


class JobSummaryOut(Resource):
    """What a vendor needs to know of a job."""

    id = own_id("job")
    title = serializers.CharField()
    task_type = serializers.CharField(source="label_schema.task_type")
    classes = serializers.ListField(child=serializers.CharField(), source="label_schema.classes")
    rules = serializers.DictField(source="label_schema.rules")
    modality = serializers.CharField()
    language = serializers.CharField()
    domain = serializers.CharField()


class AssignmentOut(Resource):
    """A piece of accepted work."""

    id = own_id("asg")
    state = serializers.CharField()
    offer = PublicIdField("off", source="offer_id")
    batch = PublicIdField("bat", source="batch_id")
    job = JobSummaryOut()
    n_records = serializers.IntegerField(source="n_items")
    n_done = serializers.IntegerField()
    n_reworks = serializers.IntegerField()
    price_micro = serializers.IntegerField()
    start_due_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    lapse_at = serializers.DateTimeField(help_text="Work not begun is passed on then; until then it goes back freely.")
    closed_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    next = NextOut(source="*", kind="assignment")


class PreLabelOut(Resource):
    """A model's suggestion: to check, not to trust."""

    label = LabelField(allow_null=True)  # type: ignore[assignment]
    confidence = serializers.FloatField()


class WorkRecordOut(Resource):
    """A record to label. Whether its label is known already cannot be seen."""

    id = own_id("itm")
    key = serializers.SerializerMethodField()
    uri = serializers.SerializerMethodField()
    metadata = serializers.SerializerMethodField()
    is_done = serializers.BooleanField()
    prelabel = serializers.SerializerMethodField()

    def get_key(self, item: BatchItem) -> str:
        """Return the customer's key."""
        return content_of(item).key

    def get_uri(self, item: BatchItem) -> str:
        """Return where the customer keeps it."""
        return content_of(item).uri

    def get_metadata(self, item: BatchItem) -> dict[str, Any]:
        """Return what is shown beside it."""
        metadata: dict[str, Any] = content_of(item).metadata
        return metadata

    @extend_schema_field(PreLabelOut(allow_null=True))
    def get_prelabel(self, item: BatchItem) -> dict[str, Any] | None:
        """Return what a model suggests; null where there is nothing, or where it is kept back to measure its pull."""
        about = content_of(item)
        row: PreLabel | None = self.context["prelabels"].get(about.key)
        if row is None:
            return None
        shown = self.context["schema"].shown(row.label, row.value, about.metadata)
        return {"label": shown, "confidence": row.confidence}


class WorkOut(AssignmentOut):
    """A piece of accepted work with everything needed to do it."""

    instructions = serializers.CharField()
    instructions_version = serializers.IntegerField()
    records = WorkRecordOut(many=True, source="items.all")


class AnnotationIn(AnswerIn):
    """An annotator's answer; ``key`` is the record's key, or its id where two records share a key."""

    annotator = TextField(required=False, allow_blank=True, max_length=100)
    seconds = NumberField(required=False, allow_null=True, min_value=0.0, max_value=1e6)


class AnnotationsIn(Body):
    """Answers on some or all records; all are taken or none."""

    annotations = many(AnnotationIn, allow_empty=False, max_items=MAX_ANNOTATIONS)


class ReceiptOut(Resource):
    """What became of one answer."""

    key = serializers.CharField()
    state = serializers.CharField(help_text="`received`: the schema check is passed, vetting follows.")


class DeliveryOut(Resource):
    """What a delivery led to."""

    assignment = PublicIdField("asg")
    state = serializers.CharField()
    n_new = serializers.IntegerField()
    n_left = serializers.IntegerField()
    annotations = ReceiptOut(many=True)


class ReleaseIn(Body):
    """Why the work is given back."""

    reason = TextField(max_length=64)


class AssignmentsView(views.Resource):
    """The work of the caller's vendor."""

    action_scopes = {
        "list": "assignments:read",
        "retrieve": "assignments:read",
        "annotate": "annotations:write",
        "release": "assignments:write",
    }
    action_parameters = {"list": frozenset({"state"})}

    @extend_schema(parameters=[OpenApiParameter("state", enum=STATES)], responses=AssignmentOut(many=True))
    def list(self, request: Request) -> Response:
        """List work, newest first."""
        rows = work.assignments(self.actor)
        state = self.parameter("state", *STATES)
        return self.page(rows if state is None else rows.filter(state=state), AssignmentOut)

    @extend_schema(responses=WorkOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return a piece of work with its records and the instructions in force."""
        assignment = work.assignment(self.actor, views.id_in_path("asg", public_id))
        newest = InstructionVersion.objects.filter(job_id=assignment.job_id).order_by("-version").first()
        shown = AssignmentOut(assignment).data | {
            "instructions": newest.text if newest else "",
            "instructions_version": newest.version if newest else 0,
            "records": WorkRecordOut(assignment.items.all(), many=True, context=_suggestions(assignment)).data,
        }
        return Response(shown)

    @extend_schema(request=AnnotationsIn, responses=DeliveryOut)
    def annotate(self, request: Request, public_id: str) -> Response:
        """Deliver answers; the last open record hands the batch to vetting. Equal answers sent again change nothing."""
        given = self.given(AnnotationsIn)["annotations"]
        assignment = work.assignment(self.actor, views.id_in_path("asg", public_id))
        answers = _answers(assignment, given)
        delivery = annotations.submit(actor=self.actor, assignment_id=assignment.pk, answers=answers)
        receipts = [{"key": row["key"], "state": "received"} for row in given]
        outcome = {
            "assignment": assignment.pk,
            "state": delivery.assignment.state,
            "n_new": delivery.n_new,
            "n_left": delivery.n_left,
            "annotations": receipts,
        }
        return self.answer(outcome, DeliveryOut)

    @extend_schema(request=ReleaseIn, responses=AssignmentOut)
    def release(self, request: Request, public_id: str) -> Response:
        """Give work back; what was delivered of it is kept."""
        assignment_id = views.id_in_path("asg", public_id)
        assignments.release(actor=self.actor, assignment_id=assignment_id, **self.given(ReleaseIn))
        return self.answer(work.assignments(self.actor).get(pk=assignment_id), AssignmentOut)


def _suggestions(assignment: Assignment) -> dict[str, Any]:
    """Return what may be shown of pre-labels, and what reads them."""
    keys = [content_of(item).key for item in assignment.items.all()]
    return {"prelabels": prelabels.shown_for(assignment.job, keys), "schema": assignment.job.label_schema}


def _answers(assignment: Assignment, given: Sequence[dict[str, Any]]) -> list[Answer]:
    """Name the item of each answer by the record's key or id, or refuse all that name none or several."""
    items_of: dict[str, list[uuid.UUID]] = {}
    for item in assignment.items.all():
        items_of.setdefault(content_of(item).key, []).append(item.pk)
        items_of.setdefault(to_public("itm", item.pk), []).append(item.pk)
    errors = [error for n, row in enumerate(given) if (error := _key_error(n, items_of.get(row["key"], [])))]
    if errors:
        annotations.refuse_closed(assignment)  # records of work that was given up are no longer part of it
        raise ValidationFailedError(f"{len(errors)} of {len(given)} keys name no record of this work.", errors=errors)
    return [
        Answer(
            item_id=items_of[row["key"]][0],
            label=row.get("label"),
            cannot_label=row.get("cannot_label"),
            annotator=row.get("annotator", ""),
            seconds=row.get("seconds"),
        )
        for row in given
    ]


def _key_error(number: int, items: list[uuid.UUID]) -> FieldError | None:
    field = f"annotations[{number}].key"
    if not items:
        return {"field": field, "code": "unknown_record", "detail": "This record is not part of the assignment."}
    if len(items) > 1:
        detail = "Two records of this assignment have this key; give the record's id instead."
        return {"field": field, "code": "ambiguous_key", "detail": detail}
    return None
