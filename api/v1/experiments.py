"""Experiments: what to label next and why, round by round."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, NumberField, PublicIdField, RatioField, TextField, choice, texts
from api.serializers import Body, EmptyBody, Resource, many, own_id
from api.v1.answers import AnswerIn, class_index
from curation.core import selection
from curation.selectors import experiments as selectors
from curation.services import experiments
from curation.services.experiments import ObservationInput
from marketplace.core.states import CampaignState
from marketplace.errors import CampaignStateError
from marketplace.selectors import jobs

MAX_OBSERVATIONS = 10_000


class ExperimentIn(Body):
    """A run to start; classes may be left out when the dataset names them."""

    dataset = PublicIdField("dat")
    name = TextField()
    strategy = choice(*selection.names(), required=False)
    classes = texts(max_items=1000, required=False)
    batch_size = IntegerField(required=False, min_value=1, max_value=100_000)
    control_ratio = NumberField(required=False, min_value=0.0, max_value=0.5)
    seed = IntegerField(required=False)


class ObservationIn(AnswerIn):
    """What came back for a record."""

    confidence = RatioField(required=False)


class ObservationsIn(Body):
    """What came back; a later answer on the same record replaces the earlier one."""

    labels = many(ObservationIn, allow_empty=False, max_items=MAX_OBSERVATIONS)


class ExperimentOut(Resource):
    """A run."""

    id = own_id("exp")
    dataset = PublicIdField("dat", source="dataset_id")
    name = serializers.CharField()
    strategy = serializers.CharField()
    classes = serializers.ListField(child=serializers.CharField())
    batch_size = serializers.IntegerField()
    control_ratio = serializers.FloatField()
    seed = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class RoundOut(Resource):
    """One turn of select, label, train; ``metrics`` are null until it is evaluated."""

    id = own_id("rnd")
    number = serializers.IntegerField()
    n_picks = serializers.IntegerField()
    metrics = serializers.DictField(allow_null=True)
    created_at = serializers.DateTimeField()
    evaluated_at = serializers.DateTimeField(allow_null=True)


class PickOut(Resource):
    """A chosen record with the reason why."""

    key = serializers.CharField()
    uri = serializers.CharField()
    metadata = serializers.DictField()
    rank = serializers.IntegerField()
    arm = serializers.CharField()
    propensity = serializers.FloatField(allow_null=True)
    utility = serializers.FloatField()
    parts = serializers.DictField()
    words = serializers.CharField()


class RecordedOut(Resource):
    """How many answers were taken in."""

    n_recorded = serializers.IntegerField()


class ExperimentsView(views.Resource):
    """The caller's experiments."""

    action_scopes = {
        "list": "experiments:read",
        "create": "experiments:write",
        "retrieve": "experiments:read",
        "observe": "experiments:write",
    }

    @extend_schema(responses=ExperimentOut(many=True))
    def list(self, request: Request) -> Response:
        """List experiments, newest first."""
        return self.page(selectors.for_actor(self.actor), ExperimentOut)

    @extend_schema(request=ExperimentIn, responses={201: ExperimentOut})
    def create(self, request: Request) -> Response:
        """Start an experiment on a dataset."""
        given = self.given(ExperimentIn)
        made = experiments.create(actor=self.actor, dataset_id=given.pop("dataset"), **given)
        return self.answer(made, ExperimentOut, 201)

    @extend_schema(responses=ExperimentOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return an experiment."""
        return self.answer(selectors.get(self.actor, views.id_in_path("exp", public_id)), ExperimentOut)

    @extend_schema(request=ObservationsIn, responses=RecordedOut)
    def observe(self, request: Request, public_id: str) -> Response:
        """Take in labels that were made elsewhere."""
        given = self.given(ObservationsIn)["labels"]
        experiment = selectors.get(self.actor, views.id_in_path("exp", public_id))
        refuse_campaign(self, experiment.pk)
        observations = []
        for number, row in enumerate(given):
            index = class_index(row, experiment.classes, f"labels[{number}]")
            reason = row.get("cannot_label") or ""
            label = index if index >= 0 else None
            observations.append(ObservationInput(row["key"], label, reason, row.get("confidence", 1.0)))
        n_recorded = experiments.record_observations(experiment_id=experiment.pk, observations=observations)
        return self.answer({"n_recorded": n_recorded}, RecordedOut)


class RoundsView(views.Resource):
    """The rounds of an experiment."""

    action_scopes = {"list": "experiments:read", "create": "experiments:write", "evaluate": "experiments:write"}
    ordering = "number"

    @extend_schema(responses=RoundOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List rounds in order."""
        return self.page(selectors.rounds(self.actor, views.id_in_path("exp", public_id)), RoundOut)

    @extend_schema(request=EmptyBody, responses={201: RoundOut})
    def create(self, request: Request, public_id: str) -> Response:
        """Select the next round's records; a round not evaluated yet is returned as it is."""
        self.given(EmptyBody)
        rounds = selectors.rounds(self.actor, views.id_in_path("exp", public_id))
        experiment_id = views.id_in_path("exp", public_id)
        refuse_campaign(self, experiment_id)
        number = rounds.filter(evaluated_at__isnull=False).count() + 1
        experiments.start_round(experiment_id=experiment_id, number=number)
        return self.answer(rounds.get(number=number), RoundOut, 201)

    @extend_schema(request=EmptyBody, responses=RoundOut)
    def evaluate(self, request: Request, public_id: str, number: int) -> Response:
        """Train on all labels so far and measure the model; done once, then the round is over."""
        self.given(EmptyBody)
        rounds = selectors.rounds(self.actor, views.id_in_path("exp", public_id))
        experiment_id = views.id_in_path("exp", public_id)
        refuse_campaign(self, experiment_id)
        experiments.train_and_evaluate(experiment_id=experiment_id, number=number)
        return self.answer(rounds.get(number=number), RoundOut)


class PicksView(views.Resource):
    """The records chosen in a round."""

    action_scopes = {"list": "experiments:read"}
    ordering = "rank"

    @extend_schema(responses=PickOut(many=True))
    def list(self, request: Request, public_id: str, number: int) -> Response:
        """List a round's picks, best first."""
        return self.page(selectors.picks(self.actor, views.id_in_path("exp", public_id), number), PickOut)


def refuse_campaign(view: views.Resource, experiment_id: uuid.UUID) -> None:
    """Refuse to turn an experiment by hand while a campaign turns it."""
    going_on = jobs.campaigns(view.actor).filter(
        experiment_id=experiment_id, state__in=[CampaignState.RUNNING, CampaignState.PAUSED]
    )
    if going_on.exists():
        raise CampaignStateError("A campaign runs this experiment; stop the campaign first.")
