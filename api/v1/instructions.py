"""Versions of a job's instructions."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, TextField
from api.serializers import Body, Resource, own_id
from marketplace.selectors import instructions as selectors
from marketplace.services import instructions


class InstructionsIn(Body):
    """The new text, and the version it was written from: a newer one is not overwritten unseen."""

    text = TextField(max_length=instructions.MAX_TEXT)
    replaces = IntegerField(min_value=0, max_value=2**31 - 1)


class InstructionsOut(Resource):
    """A version of the instructions."""

    id = own_id("ins")
    version = serializers.IntegerField()
    text = serializers.CharField()
    n_answers = serializers.IntegerField(help_text="Current answers that were given under it.")
    created_at = serializers.DateTimeField()


class InstructionsView(views.Resource):
    """The instructions of a job, every version of them."""

    action_scopes = {"list": "jobs:read", "create": "jobs:write"}

    @extend_schema(responses=InstructionsOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List the versions, newest first."""
        return self.page(
            selectors.of_job(self.actor, views.id_in_path("job", public_id)).order_by("-id"), InstructionsOut
        )

    @extend_schema(request=InstructionsIn, responses={201: InstructionsOut})
    def create(self, request: Request, public_id: str) -> Response:
        """Write a new version; vendors at work are told, answers given before keep their version."""
        job_id = views.id_in_path("job", public_id)
        row = instructions.change(actor=self.actor, job_id=job_id, **self.given(InstructionsIn))
        return self.answer(selectors.of_job(self.actor, job_id).get(pk=row.pk), InstructionsOut, 201)
