"""What an experiment costs in compute, where a campaign's time went, and how soon each arm reached the target."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.errors import InvalidParameterError
from api.fields import PublicIdField
from api.serializers import Resource, own_id
from curation.selectors import compute
from curation.selectors import experiments as experiment_selectors
from marketplace.core.timeline import Stage
from marketplace.selectors import convergence, jobs, times


class CostOut(Resource):
    """Measured compute, in whole microseconds, so that parts add up exactly.

    ``n_open`` attempts began and have not ended: they are running, or were killed, and then nobody knows what they
    cost. Energy is not measured and not given.
    """

    cpu_us = serializers.IntegerField()
    wall_us = serializers.IntegerField()
    n_rows = serializers.IntegerField()
    n_attempts = serializers.IntegerField()
    n_open = serializers.IntegerField()


class RoundCostOut(Resource):
    """What a round cost, by stage: plan, select, shard, train."""

    number = serializers.IntegerField()
    stages = serializers.DictField(child=CostOut())
    total = CostOut()


class ComputeOut(Resource):
    """What an experiment's rounds cost; the sum of its entries."""

    total = CostOut()
    rounds = RoundCostOut(many=True)


class ComputeEntryOut(Resource):
    """That an attempt began (all zeros), or what it cost when it ended, failed or not."""

    id = own_id("cpu")
    round = serializers.IntegerField()
    stage = serializers.CharField()
    shard = serializers.IntegerField(allow_null=True)
    attempt = serializers.UUIDField()
    is_end = serializers.BooleanField()
    cpu_us = serializers.IntegerField()
    wall_us = serializers.IntegerField()
    n_rows = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ComputeView(views.Resource):
    """The ledger of an experiment's compute."""

    action_scopes = {"retrieve": "experiments:read", "list": "experiments:read"}
    ordering = "id"

    @extend_schema(responses=ComputeOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return what each round cost, and all of them: CPU and wall time as measured, repeated attempts included."""
        experiment = experiment_selectors.get(self.actor, views.id_in_path("exp", public_id))
        rounds = compute.of_rounds(experiment.pk)
        return self.answer({"total": compute.Cost.total(one.total for one in rounds), "rounds": rounds}, ComputeOut)

    @extend_schema(responses=ComputeEntryOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List the entries of the ledger, oldest first; none is ever changed."""
        return self.page(compute.entries(self.actor, views.id_in_path("exp", public_id)), ComputeEntryOut)


class StepOut(Resource):
    """A stretch of time that a stage held the round up, and the batch it waited for, if any."""

    stage = serializers.ChoiceField(choices=[stage.value for stage in Stage])
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    batch = serializers.CharField()


class RoundTimeOut(Resource):
    """A round's critical path: its steps follow on each other from the end of the round before to its own."""

    number = serializers.IntegerField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    lasted_s = serializers.FloatField()
    longest = serializers.CharField()
    last_batch = serializers.CharField()
    steps = StepOut(many=True)


class TimesOut(Resource):
    """Where a campaign's time went, vendors' included."""

    lasted_s = serializers.FloatField()
    by_stage_s = serializers.DictField(child=serializers.FloatField())
    rounds = RoundTimeOut(many=True)


class TimesView(views.Resource):
    """The critical path of a campaign."""

    action_scopes = {"retrieve": "campaigns:read"}

    @extend_schema(responses=TimesOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return what held each round up: selecting, waiting for a vendor, labeling, vetting, closing, training."""
        campaign = views.found(jobs.campaigns(self.actor), views.id_in_path("cmp", public_id))
        return self.answer(times.of_campaign(campaign), TimesOut)


class ReachedOut(Resource):
    """When the target was first reached."""

    rounds = serializers.IntegerField()
    n_asked = serializers.IntegerField()
    hours = serializers.FloatField()


class ArmOut(Resource):
    """An experiment beside others; ``reached`` is null where the target has not been reached."""

    experiment = PublicIdField("exp", source="experiment.pk")
    campaign = PublicIdField("cmp", source="campaign.pk", default=None, allow_null=True)
    name = serializers.CharField(source="experiment.name")
    strategy = serializers.CharField(source="experiment.strategy")
    is_control = serializers.BooleanField()
    n_rounds = serializers.IntegerField()
    n_asked = serializers.IntegerField()
    n_usable = serializers.IntegerField()
    usable_per_round = serializers.FloatField(allow_null=True)
    best = serializers.FloatField(allow_null=True)
    reached = ReachedOut(allow_null=True)


class ConvergenceRowOut(Resource):
    """Experiments on one dataset at one target."""

    target = serializers.FloatField(allow_null=True)
    arms = ArmOut(many=True)


class ConvergenceView(views.Resource):
    """How soon each experiment on a dataset reached the target."""

    action_scopes = {"retrieve": "experiments:read"}
    action_parameters = {"retrieve": frozenset({"target"})}

    @extend_schema(
        parameters=[OpenApiParameter("target", float, description="Accuracy, above 0; default: the campaign's.")],
        responses=ConvergenceRowOut,
    )
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Compare the experiments on an experiment's dataset: rounds, records and hours to the target accuracy."""
        experiment_id = views.id_in_path("exp", public_id)
        found = convergence.compare(self.actor, experiment_id, target=_target(request.query_params.get("target")))
        return self.answer(found, ConvergenceRowOut)


def _target(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text) if text.isascii() and len(text) < 20 else 0.0
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise InvalidParameterError("target is an accuracy above 0 and at most 1, such as 0.9.")
    return value
