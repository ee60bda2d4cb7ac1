"""What annotations must look like."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import BooleanField, IntegerField, NumberField, TextField, choice, texts
from api.serializers import Body, Resource, own_id
from marketplace.core import checks
from marketplace.selectors import jobs as selectors
from marketplace.services import jobs

MAX_POINTS = 500
MAX_COUNT = 10_000


def size() -> NumberField:
    """Return the field of a limit in the record's own unit."""
    return NumberField(required=False, min_value=0.0, max_value=1e9)


class RulesIn(Body):
    """The customer's rules; which of them a task type knows stands in the answer to any other."""

    min_count = IntegerField(required=False, max_value=MAX_COUNT, help_text="Items a label has at least.")
    max_count = IntegerField(required=False, max_value=MAX_COUNT)
    min_width = size()
    max_width = size()
    min_height = size()
    max_height = size()
    min_area = size()
    max_area = size()
    max_aspect_ratio = size()
    max_size = size()
    may_overlap = BooleanField(required=False, help_text="Whether spans may overlap. Default: no.")
    min_length = IntegerField(required=False, min_value=1, max_value=100_000, help_text="Characters of a text.")
    max_length = IntegerField(required=False, min_value=1, max_value=100_000)
    points = texts(required=False, max_items=MAX_POINTS, min_length=1, help_text="Names of the keypoints.")
    skeleton = serializers.ListField(
        child=texts(max_items=2, min_length=2), required=False, max_length=1000, help_text="Pairs of keypoints."
    )
    tolerance = NumberField(
        required=False, min_value=0.0, max_value=1e6, help_text="Pixels by which two answers may place a keypoint."
    )
    min_similarity = NumberField(
        required=False,
        min_value=0.0,
        max_value=1.0,
        help_text="How alike two answers are that say the same; each task type has its default.",
    )


class LabelSchemaIn(Body):
    """A schema to make; it never changes afterwards."""

    name = TextField()
    task_type = choice(*checks.task_types())
    classes = texts(
        max_items=1000, required=False, help_text="Needed by all task types but transcription, ranking and keypoints."
    )
    rules = RulesIn(required=False)


class LabelSchemaOut(Resource):
    """A schema."""

    id = own_id("sch")
    name = serializers.CharField()
    task_type = serializers.CharField()
    classes = serializers.ListField(child=serializers.CharField())
    rules = serializers.DictField()
    created_at = serializers.DateTimeField()


class LabelSchemasView(views.Resource):
    """The caller's schemas."""

    action_scopes = {"list": "jobs:read", "create": "jobs:write"}

    @extend_schema(responses=LabelSchemaOut(many=True))
    def list(self, request: Request) -> Response:
        """List schemas, newest first."""
        return self.page(selectors.schemas(self.actor), LabelSchemaOut)

    @extend_schema(request=LabelSchemaIn, responses={201: LabelSchemaOut})
    def create(self, request: Request) -> Response:
        """Make a schema."""
        return self.answer(jobs.create_schema(actor=self.actor, **self.given(LabelSchemaIn)), LabelSchemaOut, 201)
