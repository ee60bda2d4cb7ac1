"""Experiments: what to label next and why, round by round."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, MetadataField, NumberField, PublicIdField, RatioField, TextField, choice, texts
from api.serializers import Body, EmptyBody, Resource, many, own_id
from api.v1.answers import AnswerIn, class_index
from common.errors import ConflictError, ValidationFailedError
from curation.core import selection
from curation.models.experiments import ExperimentKind
from curation.selectors import experiments as selectors
from curation.services import experiments, observations
from curation.services.observations import ObservationInput
from curation.services.outputs import Outputs
from marketplace.core.states import CampaignState
from marketplace.errors import CampaignStateError
from marketplace.selectors import jobs
from marketplace.services import new_classes

MAX_OBSERVATIONS = 10_000


class ShareIn(Body):
    """A share of each batch that one strategy chooses."""

    strategy = choice(*selection.names())
    share = RatioField()


class ExperimentIn(Body):
    """A run to start; classes may be left out when the dataset names them.

    ``type`` is auto (the engine), single (one ``strategy``), rule_based (``rules``, their shares sum to one) or manual
    (you name the keys of each round); left out, it follows from what is given. ``wishes`` configure the strategy
    metadata_weighted.
    """

    dataset = PublicIdField("dat")
    name = TextField()
    type = choice(*ExperimentKind.values, required=False)
    strategy = choice(*selection.names(), required=False)
    rules = many(ShareIn, max_items=20, required=False)
    wishes = MetadataField(required=False)
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


class ClassesIn(Body):
    """Classes to append; those there are stay, in their places."""

    classes = texts(max_items=1000)


class ExperimentOut(Resource):
    """A run."""

    id = own_id("exp")
    dataset = PublicIdField("dat", source="dataset_id")
    name = serializers.CharField()
    type = serializers.CharField(source="kind")
    strategy = serializers.CharField()
    config = serializers.DictField()
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
    vetoed_at = serializers.DateTimeField(allow_null=True)
    veto_reason = serializers.CharField()


class ProbabilitiesIn(Body):
    """What the customer's own model believes of a record, in the order of the classes."""

    key = TextField()
    proba = serializers.ListField(child=RatioField(), min_length=2, max_length=1000)


class UtilityIn(Body):
    """How much the customer's own model wants a record labeled; higher = more."""

    key = TextField()
    utility = NumberField()


class EmbeddingIn(Body):
    """Where the customer's own model sees a record."""

    key = TextField()
    embedding = serializers.ListField(child=NumberField(), min_length=1, max_length=4096)


class RoundIn(Body):
    """Nothing, or what this round shall go by.

    ``keys``: the records, for an experiment of type manual. ``probabilities`` or ``utilities``: what your own model
    says of the records to choose among; they stand in for the proxy model's in this round. ``embeddings``: how your
    model sees the records to choose among and those asked before, in place of the dataset's features in this round.
    """

    keys = texts(max_items=MAX_OBSERVATIONS, required=False)
    probabilities = many(ProbabilitiesIn, max_items=MAX_OBSERVATIONS, required=False)
    utilities = many(UtilityIn, max_items=MAX_OBSERVATIONS, required=False)
    embeddings = many(EmbeddingIn, max_items=MAX_OBSERVATIONS, required=False)


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
        "append": "experiments:write",
    }

    @extend_schema(responses=ExperimentOut(many=True))
    def list(self, request: Request) -> Response:
        """List experiments, newest first."""
        return self.page(selectors.for_actor(self.actor), ExperimentOut)

    @extend_schema(request=ExperimentIn, responses={201: ExperimentOut})
    def create(self, request: Request) -> Response:
        """Start an experiment on a dataset."""
        given = self.given(ExperimentIn)
        kind = given.pop("type", "")
        made = experiments.create(actor=self.actor, dataset_id=given.pop("dataset"), kind=kind, **given)
        return self.answer(made, ExperimentOut, 201)

    @extend_schema(responses=ExperimentOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return an experiment."""
        return self.answer(selectors.get(self.actor, views.id_in_path("exp", public_id)), ExperimentOut)

    @extend_schema(request=ClassesIn, responses=ExperimentOut)
    def append(self, request: Request, public_id: str) -> Response:
        """Append classes that have turned up; labels, picks and model stay. Campaigns: paused, all work vetted."""
        given = self.given(ClassesIn)
        experiment_id = views.id_in_path("exp", public_id)
        done = new_classes.append(actor=self.actor, experiment_id=experiment_id, classes=given["classes"])
        return self.answer(done, ExperimentOut)

    @extend_schema(request=ObservationsIn, responses=RecordedOut)
    def observe(self, request: Request, public_id: str) -> Response:
        """Take in labels that were made elsewhere."""
        given = self.given(ObservationsIn)["labels"]
        experiment = selectors.get(self.actor, views.id_in_path("exp", public_id))
        refuse_campaign(self, experiment.pk)
        labels = []
        for number, row in enumerate(given):
            index = class_index(row, experiment.classes, f"labels[{number}]")
            reason = row.get("cannot_label") or ""
            label = index if index >= 0 else None
            labels.append(ObservationInput(row["key"], label, reason, row.get("confidence", 1.0)))
        n_recorded = observations.record(experiment_id=experiment.pk, observations=labels)
        return self.answer({"n_recorded": n_recorded}, RecordedOut)


class RoundsView(views.Resource):
    """The rounds of an experiment."""

    action_scopes = {"list": "experiments:read", "create": "experiments:write", "evaluate": "experiments:write"}
    ordering = "number"

    @extend_schema(responses=RoundOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List rounds in order."""
        return self.page(selectors.rounds(self.actor, views.id_in_path("exp", public_id)), RoundOut)

    @extend_schema(request=RoundIn, responses={201: RoundOut})
    def create(self, request: Request, public_id: str) -> Response:
        """Select the next round's records; a round not evaluated yet is returned as it is.

        ``n_picks`` is smaller than the experiment's batch only where fewer records are left to choose among; where none
        is, no round is begun and the answer is a conflict.
        """
        given = self.given(RoundIn)
        rounds = selectors.rounds(self.actor, views.id_in_path("exp", public_id))
        experiment_id = views.id_in_path("exp", public_id)
        refuse_campaign(self, experiment_id)
        number = rounds.filter(evaluated_at__isnull=False).count() + 1
        outputs = Outputs(
            {key: row["proba"] for key, row in _by_key(given, "probabilities").items()},
            {key: row["utility"] for key, row in _by_key(given, "utilities").items()},
            {key: row["embedding"] for key, row in _by_key(given, "embeddings").items()},
        )
        keys = given.get("keys", [])
        if not experiments.start_round(experiment_id=experiment_id, number=number, keys=keys, outputs=outputs):
            raise ConflictError("Nothing is left to select: every record to choose among was asked before.")
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


def _by_key(given: dict[str, Any], name: str) -> dict[str, Any]:
    rows = given.get(name, [])
    by_key = {row["key"]: row for row in rows}
    if len(by_key) < len(rows):
        raise ValidationFailedError.of(
            name, "duplicate_key", f"{len(rows)} records, only {len(by_key)} different keys."
        )
    return by_key


def refuse_campaign(view: views.Resource, experiment_id: uuid.UUID) -> None:
    """Refuse to turn an experiment by hand while a campaign turns it."""
    going_on = jobs.campaigns(view.actor).filter(
        experiment_id=experiment_id, state__in=[CampaignState.RUNNING, CampaignState.PAUSED]
    )
    if going_on.exists():
        raise CampaignStateError("A campaign runs this experiment; stop the campaign first.")
