"""Reviews: draw decided records, the unsure ones more often; confirm or correct; know the accuracy."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, LabelField, TextField, choice
from api.serializers import Body, Resource, own_id
from api.v1.answers import check_one
from marketplace.models import Review
from marketplace.selectors import jobs
from marketplace.services import second_looks
from marketplace.services.annotations import CANNOT_LABEL_REASONS


class DrawIn(Body):
    """How many records to review; the same seed draws the same."""

    n = IntegerField(min_value=1, max_value=10_000)
    seed = IntegerField(required=False, max_value=2**31 - 1)


class SecondLookIn(Body):
    """What the label is: exactly one of ``label`` and ``cannot_label``."""

    label = LabelField(required=False, allow_null=True)  # type: ignore[assignment]
    cannot_label = choice(*CANNOT_LABEL_REASONS, required=False, allow_null=True)
    note = TextField(required=False, allow_blank=True, max_length=5000)


class ReviewOut(Resource):
    """A record drawn for review, with its decided label and the chance with which it was drawn."""

    id = own_id("rev")
    key = serializers.CharField(source="record.key")
    uri = serializers.CharField(source="record.uri")
    label = serializers.SerializerMethodField()  # type: ignore[assignment]
    confidence = serializers.FloatField(source="record.confidence", allow_null=True)
    drawing = serializers.IntegerField(help_text="0: not drawn, but called for.")
    chance = serializers.FloatField()
    cause = serializers.CharField(help_text="`drawn`, `rule`, or `model`: a model says something else.")
    why = serializers.CharField()
    right = serializers.BooleanField(source="is_right", allow_null=True)
    note = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_label(self, row: Review) -> Any:
        """Return the label; null when it cannot be labeled."""
        return row.record.shown_label


class DrawnOut(Resource):
    """What was drawn."""

    drawing = serializers.IntegerField()
    n_drawn = serializers.IntegerField()
    n_records = serializers.IntegerField()


class AccuracyOut(Resource):
    """The share of right labels with its 90 % interval; null before a drawing is reviewed whole."""

    mean = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    n_reviewed = serializers.IntegerField()
    n_effective = serializers.FloatField(allow_null=True)


class JobReviewsView(views.Resource):
    """The reviews of a job."""

    action_scopes = {"list": "jobs:read", "create": "jobs:write", "accuracy": "jobs:read"}

    @extend_schema(responses=ReviewOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List what was drawn, newest first."""
        return self.page(jobs.reviews(self.actor, views.id_in_path("job", public_id)), ReviewOut)

    @extend_schema(request=DrawIn, responses={201: DrawnOut})
    def create(self, request: Request, public_id: str) -> Response:
        """Draw decided records for review."""
        drawn = second_looks.draw(actor=self.actor, job_id=views.id_in_path("job", public_id), **self.given(DrawIn))
        first = drawn[0]
        told = {"drawing": first.drawing, "n_drawn": len(drawn), "n_records": first.pool_size}
        return self.answer(told, DrawnOut, 201)

    @extend_schema(responses=AccuracyOut)
    def accuracy(self, request: Request, public_id: str) -> Response:
        """Return the accuracy that the newest whole review tells of."""
        found = second_looks.accuracy(actor=self.actor, job_id=views.id_in_path("job", public_id))
        nothing = {"mean": None, "low": None, "high": None, "n_reviewed": 0, "n_effective": None}
        return self.answer(nothing if found is None else found, AccuracyOut)


class ReviewsView(views.Resource):
    """One drawn record."""

    action_scopes = {"decide": "jobs:write"}

    @extend_schema(request=SecondLookIn, responses=ReviewOut)
    def decide(self, request: Request, public_id: str) -> Response:
        """Confirm the label or correct it."""
        review_id = views.id_in_path("rev", public_id)
        jobs.review(self.actor, review_id)
        given = self.given(SecondLookIn)
        label = check_one(given, "answer")
        second_looks.decide(actor=self.actor, review_id=review_id, label=label, note=given.get("note", ""))
        return self.answer(jobs.review(self.actor, review_id), ReviewOut)
