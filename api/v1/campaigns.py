"""Campaigns: the closed loop, started, watched and steered."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, PublicIdField, RatioField, choice
from api.serializers import Body, EmptyBody, Resource, own_id
from api.v1.experiments import MAX_CPU_S
from api.v1.job_bodies import MAX_BUDGET_MICRO
from marketplace.core.states import CampaignMode
from marketplace.selectors import jobs
from marketplace.services import campaigns
from marketplace.services.campaign_terms import MAX_REVIEW_S, CampaignTerms


class CampaignIn(Body):
    """An experiment and the standing job that buys its labels."""

    experiment = PublicIdField("exp")
    job = PublicIdField("job")
    rounds = IntegerField(min_value=1, max_value=1000)
    target_accuracy = RatioField(required=False, allow_null=True)
    value_of_point_micro = IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_BUDGET_MICRO,
        help_text="What a point (0.01) of accuracy is worth; with it, the campaign ends when labels no longer pay.",
    )
    value_of_day_micro = IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_BUDGET_MICRO,
        help_text="What finishing a day earlier is worth; with it, the size of each round follows from the market's "
        "measured speed, and rounds times the experiment's batch size is the most records asked for.",
    )
    asks_again = serializers.BooleanField(
        default=False,
        help_text="Whether the campaign decides on further opinions: up to half of each round's money goes to old "
        "records where another answer is worth more for its price than a new record. New records are then labeled "
        "`min_overlap` times, and the job's `target_confidence` asks for no more.",
    )
    max_cpu_s = IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_CPU_S,
        help_text="CPU seconds that all rounds together may use; a round forecast to exceed them is not begun.",
    )
    mode = choice(
        *CampaignMode,
        default=CampaignMode.AUTO.value,
        help_text="auto: each round is ordered at once. veto: its picks are proposed, and those not vetoed are ordered "
        "after `review_s`. approve: nothing is ordered before you approve.",
    )
    review_s = IntegerField(
        required=False,
        allow_null=True,
        min_value=60,
        max_value=MAX_REVIEW_S,
        help_text="Seconds to veto, in mode veto; a day when left out.",
    )


class CampaignOut(Resource):
    """A closed loop."""

    id = own_id("cmp")
    experiment = PublicIdField("exp", source="experiment_id")
    job = PublicIdField("job", source="job_id")
    state = serializers.CharField()
    phase = serializers.CharField()
    round = serializers.IntegerField()
    first_round = serializers.IntegerField(help_text="Rounds before it were turned by hand; none of them is bought.")
    max_rounds = serializers.IntegerField()
    target_accuracy = serializers.FloatField(allow_null=True)
    value_of_point_micro = serializers.IntegerField(allow_null=True)
    value_of_day_micro = serializers.IntegerField(allow_null=True)
    asks_again = serializers.BooleanField()
    max_cpu_s = serializers.IntegerField(allow_null=True)
    mode = serializers.CharField()
    review_s = serializers.IntegerField(allow_null=True)
    review_due_at = serializers.DateTimeField(
        allow_null=True,
        help_text="While the phase is review: when the picks proposed are ordered; null until you approve.",
    )
    lot = PublicIdField("lot", source="lot_id", allow_null=True)
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class CampaignsView(views.Resource):
    """The caller's campaigns; staff sees all."""

    action_scopes = {
        "list": "campaigns:read",
        "create": "campaigns:write",
        "retrieve": "campaigns:read",
        "pause": "campaigns:write",
        "resume": "campaigns:write",
        "stop": "campaigns:write",
    }

    @extend_schema(responses=CampaignOut(many=True))
    def list(self, request: Request) -> Response:
        """List campaigns, newest first."""
        return self.page(jobs.campaigns(self.actor), CampaignOut)

    @extend_schema(request=CampaignIn, responses={201: CampaignOut})
    def create(self, request: Request) -> Response:
        """Start a campaign; asked again for the same pair, it is returned as it is."""
        given = self.given(CampaignIn)
        started = campaigns.start(
            actor=self.actor,
            experiment_id=given["experiment"],
            job_id=given["job"],
            terms=CampaignTerms(
                max_rounds=given["rounds"],
                target_accuracy=given.get("target_accuracy"),
                value_of_point_micro=given.get("value_of_point_micro"),
                value_of_day_micro=given.get("value_of_day_micro"),
                asks_again=given["asks_again"],
                max_cpu_s=given.get("max_cpu_s"),
                mode=CampaignMode(given["mode"]),
                review_s=given.get("review_s"),
            ),
        )
        return self.answer(started, CampaignOut, 201)

    @extend_schema(responses=CampaignOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return a campaign."""
        return self.answer(views.found(jobs.campaigns(self.actor), views.id_in_path("cmp", public_id)), CampaignOut)

    @extend_schema(request=EmptyBody, responses=CampaignOut)
    def pause(self, request: Request, public_id: str) -> Response:
        """Select no further records until resumed; batches already out are finished."""
        return self._control(public_id, "pause")

    @extend_schema(request=EmptyBody, responses=CampaignOut)
    def resume(self, request: Request, public_id: str) -> Response:
        """Go on where the campaign was paused."""
        return self._control(public_id, "resume")

    @extend_schema(request=EmptyBody, responses=CampaignOut)
    def stop(self, request: Request, public_id: str) -> Response:
        """End the campaign for good."""
        return self._control(public_id, "stop")

    def _control(self, public_id: str, verb: str) -> Response:
        self.given(EmptyBody)
        campaign_id = views.id_in_path("cmp", public_id)
        return self.answer(campaigns.control(actor=self.actor, campaign_id=campaign_id, verb=verb), CampaignOut)
