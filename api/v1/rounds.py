"""The rounds of an experiment: chosen, by what, and why; trained and measured."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import NumberField, RatioField, TextField, texts
from api.serializers import Body, EmptyBody, Resource, many, own_id
from api.v1.experiments import MAX_OBSERVATIONS, refuse_campaign
from common.errors import ConflictError, NotFoundError, ValidationFailedError
from curation.selectors import experiments as selectors
from curation.services import experiments
from curation.services.outputs import Outputs


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

    keys = texts(max_items=MAX_OBSERVATIONS, allow_empty=False, required=False)
    probabilities = many(ProbabilitiesIn, max_items=MAX_OBSERVATIONS, allow_empty=False, required=False)
    utilities = many(UtilityIn, max_items=MAX_OBSERVATIONS, allow_empty=False, required=False)
    embeddings = many(EmbeddingIn, max_items=MAX_OBSERVATIONS, allow_empty=False, required=False)


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
        """Select the next round's records; a round not evaluated yet is returned as it is, unless other keys are given.

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
        experiment_id = views.id_in_path("exp", public_id)
        if not selectors.rounds(self.actor, experiment_id).filter(number=number).exists():
            raise NotFoundError("There is no such round.")
        return self.page(selectors.picks(self.actor, experiment_id, number), PickOut)


def _by_key(given: dict[str, Any], name: str) -> dict[str, Any]:
    rows = given.get(name, [])
    by_key = {row["key"]: row for row in rows}
    if len(by_key) < len(rows):
        raise ValidationFailedError.of(
            name, "duplicate_key", f"{len(rows)} records, only {len(by_key)} different keys."
        )
    return by_key
