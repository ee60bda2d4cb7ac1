"""The machine's first pass: its terms and what is known of it, and the pre-labels."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import BooleanField, LabelField, RatioField, TextField, choice
from api.serializers import Body, Resource, many
from api.v1.answers import check_one
from marketplace.services import first_pass, first_pass_reports, prelabels
from marketplace.services.annotations import CANNOT_LABEL_REASONS
from marketplace.services.prelabels import MAX_ROWS, PreLabelInput


class FirstPassIn(Body):
    """Whether labels may stand, and on which terms; what is left out stays as it is."""

    blind_ratio = RatioField(required=False, help_text="Share labeled without seeing the pre-label. Default: 0.1.")
    audit_ratio = RatioField(
        required=False, help_text="Share of the trusted labels that go to people all the same. Default: 0.1."
    )
    required_accuracy = RatioField(
        required=False, help_text="Of labels that stand without a person. Default: the job's target confidence."
    )
    is_auto_accept = BooleanField(help_text="Whether labels may stand without a person; at first: no.")


class PreLabelIn(Body):
    """A model's word on a record, by the record's key."""

    key = TextField()
    label = LabelField(required=False, allow_null=True)  # type: ignore[assignment]
    cannot_label = choice(*CANNOT_LABEL_REASONS, required=False, allow_null=True)
    confidence = RatioField()
    probabilities = serializers.ListField(
        child=RatioField(),
        required=False,
        allow_null=True,
        max_length=10_000,
        help_text="Of classifications: one for each class of the schema, in its order; sum 1.",
    )


class PreLabelsIn(Body):
    """Pre-labels of one model; give its version, as evidence is kept for each."""

    model = TextField(max_length=100)
    prelabels = many(PreLabelIn, allow_empty=False, max_items=MAX_ROWS)


class ReceivedOut(Resource):
    """How many were taken."""

    n = serializers.IntegerField()


class CountsOut(Resource):
    """Pre-labels by what became of them."""

    shown = serializers.IntegerField()
    blind = serializers.IntegerField()
    accepted = serializers.IntegerField()


class CalibrationOut(Resource):
    """From which confidence labels of a model may stand, and why; by the blind records that people decided."""

    threshold = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()
    n_above = serializers.IntegerField()
    accuracy = serializers.FloatField(allow_null=True)
    accuracy_low = serializers.FloatField(allow_null=True)
    why = serializers.CharField()


class AuditOut(Resource):
    """Accuracy of what is trusted, from the share that people labeled."""

    n = serializers.IntegerField()
    mean = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class AnchoringOut(Resource):
    """Agreement with the model where annotators saw its label, and where not; the difference with a 90 % interval."""

    n_shown = serializers.IntegerField()
    n_blind = serializers.IntegerField()
    shown = serializers.FloatField(allow_null=True)
    blind = serializers.FloatField(allow_null=True)
    difference = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class ModelOut(Resource):
    """What is known of one model."""

    model = serializers.CharField()
    counts = CountsOut()
    calibration = CalibrationOut()
    audit = AuditOut()
    anchoring = AnchoringOut()


class FirstPassOut(Resource):
    """The terms, and what is known of each model."""

    blind_ratio = serializers.FloatField()
    audit_ratio = serializers.FloatField()
    required_accuracy = serializers.FloatField()
    is_auto_accept = serializers.BooleanField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="When auto-accept ended by itself.")
    ended_why = serializers.CharField()
    models = ModelOut(many=True)


class FirstPassView(views.Resource):
    """The first pass of a job."""

    action_scopes = {"retrieve": "jobs:read", "update": "jobs:write", "put": "jobs:write"}

    @extend_schema(responses=FirstPassOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return the terms, thresholds, audits, and how much annotators are swayed."""
        return self.answer(first_pass_reports.report(self.actor, views.id_in_path("job", public_id)), FirstPassOut)

    @extend_schema(request=FirstPassIn, responses=FirstPassOut)
    def update(self, request: Request, public_id: str) -> Response:
        """Change the terms for records ordered from now on."""
        job_id = views.id_in_path("job", public_id)
        first_pass.change(actor=self.actor, job_id=job_id, terms=first_pass.Terms(**self.given(FirstPassIn)))
        return self.answer(first_pass_reports.report(self.actor, job_id), FirstPassOut)

    @extend_schema(request=PreLabelsIn, responses={201: ReceivedOut})
    def put(self, request: Request, public_id: str) -> Response:
        """Give pre-labels, best before their records are ordered; gold may have some too, so that it stays unseen."""
        job_id = views.id_in_path("job", public_id)
        given = self.given(PreLabelsIn)
        rows = [_input(row, f"prelabels[{number}]") for number, row in enumerate(given["prelabels"])]
        taken = prelabels.put(actor=self.actor, job_id=job_id, model=given["model"], rows=rows)
        return self.answer({"n": taken}, ReceivedOut, 201)


def _input(row: dict[str, Any], place: str) -> PreLabelInput:
    return PreLabelInput(row["key"], check_one(row, place), row["confidence"], row.get("probabilities"))
