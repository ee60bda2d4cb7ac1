"""Where a guideline is unclear: pairs of classes that good annotators confuse."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.serializers import Resource
from marketplace.selectors import confusions


class ExampleOut(Resource):
    """A record on which good annotators disagree."""

    key = serializers.CharField()
    uri = serializers.CharField()
    answers = serializers.DictField(child=serializers.IntegerField(), help_text="How often each class was given.")


class VersionShareOut(Resource):
    """How often the pair was confused under a version of the instructions."""

    version = serializers.IntegerField()
    n_confused = serializers.IntegerField()
    n_answers = serializers.IntegerField()


class ConfusionOut(Resource):
    """Two classes given for one another more often than slips explain."""

    first = serializers.CharField()
    second = serializers.CharField()
    observed = serializers.IntegerField()
    expected = serializers.FloatField()
    p_value = serializers.FloatField()
    examples = ExampleOut(many=True)
    versions = VersionShareOut(many=True)
    change_p_value = serializers.FloatField(allow_null=True, help_text="The newest instructions against those before.")


class ConfusionsOut(Resource):
    """The confused pairs of a job, most surprising first."""

    confusions = ConfusionOut(many=True)


class ConfusionsView(views.Resource):
    """What the good annotators of a job confuse."""

    action_scopes = {"retrieve": "jobs:read"}

    @extend_schema(responses=ConfusionsOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return the pairs of classes that point to an unclear guideline, with examples."""
        found = confusions.of_job(self.actor, views.id_in_path("job", public_id))
        return self.answer({"confusions": found}, ConfusionsOut)
