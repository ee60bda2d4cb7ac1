"""What annotations must look like."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import TextField, choice, texts
from api.serializers import Body, Resource, own_id
from marketplace.selectors import jobs as selectors
from marketplace.services import jobs

SOLD = ("classification",)
"""Task types that are bought end to end; an annotation's label is stored as a class index so far."""


class LabelSchemaIn(Body):
    """A schema to make; it never changes afterwards."""

    name = TextField()
    task_type = choice(*SOLD)
    classes = texts(max_items=1000, min_length=2)


class LabelSchemaOut(Resource):
    """A schema."""

    id = own_id("sch")
    name = serializers.CharField()
    task_type = serializers.CharField()
    classes = serializers.ListField(child=serializers.CharField())
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
