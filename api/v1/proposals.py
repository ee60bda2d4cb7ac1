"""Proposals: what a campaign would order next, vetoed, added to and approved; and what such choices brought."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, TextField, choice, texts
from api.serializers import Body, Resource
from api.v1.campaigns import CampaignOut
from curation.core.overrides import Comparison
from curation.models.experiments import VetoReason
from curation.selectors import experiments as experiment_selectors
from marketplace.selectors import jobs
from marketplace.services import override_reports, proposals
from marketplace.services.override_reports import Line


class VetoIn(Body):
    """Proposed records that shall not be sent, by key, and why.

    A veto is final in its experiment. Out of scope, corrupted and unreadable say that nobody could label the record,
    and the model learns that; the other reasons teach it nothing.
    """

    keys = texts(max_items=proposals.MAX_KEYS, allow_empty=False)
    reason = choice(*VetoReason.values, default=VetoReason.OTHER.value)
    note = TextField(max_length=1000, required=False, default="", allow_blank=True)


class AddIn(Body):
    """Records to ask as well, by key."""

    keys = texts(max_items=proposals.MAX_KEYS, allow_empty=False)


class ApproveIn(Body):
    """The round that was looked at; no other is approved."""

    round = IntegerField(min_value=1)


class ChosenOut(Resource):
    """What became of the records of one chooser: the machine, people by hand (manual), or chance (control).

    ``label_yield`` is the share usable of those that came back, with its 95 % interval; cost is what was paid for
    answers on them, fees included, gold left out.
    """

    by = serializers.CharField()
    n_picked = serializers.IntegerField()
    n_vetoed = serializers.IntegerField()
    n_back = serializers.IntegerField()
    n_usable = serializers.IntegerField()
    label_yield = serializers.FloatField(allow_null=True)
    label_yield_low = serializers.FloatField(allow_null=True)
    label_yield_high = serializers.FloatField(allow_null=True)
    cost_micro = serializers.IntegerField()
    cost_per_usable_micro = serializers.IntegerField(allow_null=True)
    labels_by_class = serializers.DictField(child=serializers.IntegerField())


class ComparisonOut(Resource):
    """One choice against the machine's: difference of yields with its 95 % interval, and drift of the classes.

    ``drift`` is the total variation between the two class mixes, 0 to 1; ``drift_p_value`` the chance of one as large
    were there no difference (permutation test).
    """

    difference = serializers.FloatField()
    difference_low = serializers.FloatField()
    difference_high = serializers.FloatField()
    drift = serializers.FloatField(allow_null=True)
    drift_p_value = serializers.FloatField(allow_null=True)
    words = serializers.CharField()


class OverridesOut(Resource):
    """Human choices measured against the machine's."""

    chosen = ChosenOut(many=True)
    manual_against_machine = ComparisonOut(allow_null=True)
    control_against_machine = ComparisonOut(allow_null=True)
    vetoes_by_reason = serializers.DictField(child=serializers.IntegerField())


class ProposalsView(views.Resource):
    """The say of a customer in a campaign's rounds.

    What is proposed are the picks of the campaign's round while its phase is review:
    ``GET /experiments/{id}/rounds/{round}/picks/``.
    """

    action_scopes = {
        "veto": "campaigns:write",
        "add": "campaigns:write",
        "approve": "campaigns:write",
        "overrides": "campaigns:read",
    }

    @extend_schema(request=VetoIn, responses=CampaignOut)
    def veto(self, request: Request, public_id: str) -> Response:
        """Keep proposed records from being sent, for good; refused once they are ordered."""
        given = self.given(VetoIn)
        campaign_id = views.id_in_path("cmp", public_id)
        reason = VetoReason(given["reason"])
        campaign = proposals.veto(
            actor=self.actor, campaign_id=campaign_id, keys=given["keys"], reason=reason, note=given["note"]
        )
        return self.answer(campaign, CampaignOut)

    @extend_schema(request=AddIn, responses=CampaignOut)
    def add(self, request: Request, public_id: str) -> Response:
        """Add records of your own choice to what is proposed; they count as chosen by hand."""
        given = self.given(AddIn)
        campaign_id = views.id_in_path("cmp", public_id)
        return self.answer(proposals.add(actor=self.actor, campaign_id=campaign_id, keys=given["keys"]), CampaignOut)

    @extend_schema(request=ApproveIn, responses=CampaignOut)
    def approve(self, request: Request, public_id: str) -> Response:
        """Let the round proposed be ordered now."""
        number = self.given(ApproveIn)["round"]
        campaign_id = views.id_in_path("cmp", public_id)
        return self.answer(proposals.approve(actor=self.actor, campaign_id=campaign_id, number=number), CampaignOut)

    @extend_schema(responses=OverridesOut)
    def overrides(self, request: Request, public_id: str) -> Response:
        """Compare what people chose with what the machine chose: usable labels, their cost, their classes, vetoes."""
        campaign = views.found(jobs.campaigns(self.actor), views.id_in_path("cmp", public_id))
        experiment = experiment_selectors.get(self.actor, campaign.experiment_id)
        told = override_reports.tell(campaign, experiment)
        found = {
            "chosen": [_chosen(line, experiment.classes) for line in told.lines],
            "manual_against_machine": _comparison(told.report.manual),
            "control_against_machine": _comparison(told.report.control),
            "vetoes_by_reason": told.report.vetoes,
        }
        return self.answer(found, OverridesOut)


def _chosen(line: Line, classes: list[str]) -> dict[str, Any]:
    one, found = line.chosen, line.chosen.label_yield
    return {
        "by": one.by,
        "n_picked": one.n_picked,
        "n_vetoed": one.n_vetoed,
        "n_back": len(one.keys),
        "n_usable": one.n_usable,
        "label_yield": found and found.ratio,
        "label_yield_low": found and found.low,
        "label_yield_high": found and found.high,
        "cost_micro": line.cost_micro,
        "cost_per_usable_micro": line.per_usable_micro,
        "labels_by_class": dict(zip(classes, one.classes, strict=True)),
    }


def _comparison(found: Comparison | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "difference": found.difference,
        "difference_low": found.low,
        "difference_high": found.high,
        "drift": found.drift and found.drift.distance,
        "drift_p_value": found.drift and found.drift.p_value,
        "words": found.words,
    }
