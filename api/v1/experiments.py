"""Experiments: what to label next and why, round by round."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import (
    BooleanField,
    IntegerField,
    MetadataField,
    NumberField,
    PublicIdField,
    RatioField,
    TextField,
    choice,
    texts,
)
from api.serializers import Body, Resource, many, own_id
from api.v1.answers import AnswerIn, class_index
from curation.core import selection
from curation.models.experiments import ExperimentKind
from curation.selectors import experiments as selectors
from curation.services import experiments, observations
from curation.services.observations import ObservationInput
from marketplace.core.states import CampaignState
from marketplace.errors import CampaignStateError
from marketplace.selectors import jobs
from marketplace.services import new_classes

MAX_OBSERVATIONS = 10_000
MAX_CPU_S = 10**9


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
    trusts_anchor = BooleanField(
        required=False,
        help_text="Whether the dataset's trusted records (`anchor`) show every kind that is wanted: choosing then "
        "prefers what is like them from the first round on, and a wanted kind that they lack is asked for too rarely. "
        "Left out, they steer only where more than half of the pool seems unlike them.",
    )
    max_cpu_s = IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_CPU_S,
        help_text="CPU seconds that all rounds together may use; a round forecast to exceed them is refused "
        "(`compute_cap`).",
    )


class CapIn(Body):
    """What may be changed of an experiment: its cap on compute, null for none."""

    max_cpu_s = IntegerField(allow_null=True, min_value=1, max_value=MAX_CPU_S)


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
    trusts_anchor = serializers.BooleanField()
    max_cpu_s = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class RecordedOut(Resource):
    """How many answers were taken in."""

    n_recorded = serializers.IntegerField()


class ExperimentsView(views.Resource):
    """The caller's experiments."""

    action_scopes = {
        "list": "experiments:read",
        "create": "experiments:write",
        "retrieve": "experiments:read",
        "partial_update": "experiments:write",
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

    @extend_schema(request=CapIn, responses=ExperimentOut)
    def partial_update(self, request: Request, public_id: str) -> Response:
        """Change the cap on compute; it counts from the next round on."""
        given = self.given(CapIn)
        experiment_id = views.id_in_path("exp", public_id)
        changed = experiments.cap_compute(actor=self.actor, experiment_id=experiment_id, max_cpu_s=given["max_cpu_s"])
        return self.answer(changed, ExperimentOut)

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


def refuse_campaign(view: views.Resource, experiment_id: uuid.UUID) -> None:
    """Refuse to turn an experiment by hand while a campaign turns it."""
    going_on = jobs.campaigns(view.actor).filter(
        experiment_id=experiment_id, state__in=[CampaignState.RUNNING, CampaignState.PAUSED]
    )
    if going_on.exists():
        raise CampaignStateError("A campaign runs this experiment; stop the campaign first.")
