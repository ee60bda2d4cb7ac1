"""The market's rules on vendors: what they are, whom they would hit, on and off."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import BooleanField, IntegerField, PublicIdField
from api.serializers import Body, Resource, own_id
from marketplace.services import vendor_rules
from vendors.models import VendorRule


class VendorRuleTrialIn(Body):
    """How far back to look."""

    days = IntegerField(min_value=1, max_value=3650)


class VendorRuleSwitchIn(Body):
    """On or off."""

    on = BooleanField()


class VendorRuleOut(Resource):
    """A rule."""

    id = own_id("vrl")
    name = serializers.CharField()
    metric = serializers.CharField()
    comparator = serializers.CharField()
    threshold = serializers.FloatField()
    min_n = serializers.IntegerField()
    action = serializers.CharField()
    window_s = serializers.FloatField()
    duration_s = serializers.FloatField(allow_null=True)
    on = serializers.BooleanField(source="is_enabled")


class VendorHitOut(Resource):
    """Whom it would hit, and why."""

    vendor = PublicIdField("ven", source="vendor_id")
    capability = PublicIdField("cpb", source="capability_id", allow_null=True)
    value = serializers.FloatField()
    n = serializers.IntegerField()
    words = serializers.CharField()


class VendorTrialOut(Resource):
    """Everybody it would hit."""

    hits = VendorHitOut(many=True)


class VendorRulesView(views.Resource):
    """The market's rules on vendors, for staff."""

    action_scopes = {"list": "vendors:review", "attempt": "vendors:review", "switch": "vendors:review"}

    @extend_schema(responses=VendorRuleOut(many=True))
    def list(self, request: Request) -> Response:
        """List the rules, newest first."""
        return self.page(VendorRule.objects.all(), VendorRuleOut)

    @extend_schema(request=VendorRuleTrialIn, responses=VendorTrialOut)
    def attempt(self, request: Request, public_id: str) -> Response:
        """Say whom a rule would hit on the last days; nothing is changed."""
        rule_id = views.id_in_path("vrl", public_id)
        hits = vendor_rules.attempt(actor=self.actor, rule_id=rule_id, **self.given(VendorRuleTrialIn))
        return self.answer({"hits": hits}, VendorTrialOut)

    @extend_schema(request=VendorRuleSwitchIn, responses=VendorRuleOut)
    def switch(self, request: Request, public_id: str) -> Response:
        """Switch a rule on or off."""
        rule_id = views.id_in_path("vrl", public_id)
        is_on = self.given(VendorRuleSwitchIn)["on"]
        return self.answer(vendor_rules.switch(actor=self.actor, rule_id=rule_id, is_on=is_on), VendorRuleOut)
