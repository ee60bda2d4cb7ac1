"""A vendor's own record: register, declare, price, sign, submit."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import BooleanField, InstantField, IntegerField, NumberField, PublicIdField, TextField, choice, texts
from api.serializers import Body, EmptyBody, Resource, own_id
from vendors.core.evidence import DATA_CLASSES
from vendors.models import CapacityWindow, Vendor
from vendors.selectors import scorecards, standing, vendors
from vendors.services import capacity, onboarding
from vendors.services.capacity import Availability
from vendors.services.onboarding import AgreementTerms

DAY_S = 24 * 3600
MONTH_S = 30 * DAY_S


class VendorIn(Body):
    """Who registers."""

    name = TextField()
    languages = texts(max_length=16, required=False)
    regions = texts(max_length=16, required=False)
    invitation = TextField(max_length=100, required=False, help_text="The token of the customer that invites you.")


class CapabilityIn(Body):
    """A kind of work."""

    task_type = TextField(max_length=32)
    modality = TextField(max_length=32)
    language = TextField(max_length=16, required=False, allow_blank=True)
    domain = TextField(max_length=64, required=False, allow_blank=True)
    data_class = choice(*DATA_CLASSES, required=False)


class PriceIn(Body):
    """A price per label from a moment on."""

    capability = PublicIdField("cpb")
    price_micro = IntegerField(min_value=1, max_value=10**12)
    currency = serializers.RegexField("^[A-Z]{3}$")
    valid_from = InstantField(required=False, allow_null=True)
    valid_until = InstantField(required=False, allow_null=True, help_text="Null: until a later price begins.")


class AcceptWindowsIn(Body):
    """Seconds to answer an offer, by what matters to the customer."""

    cost = IntegerField(min_value=1, max_value=MONTH_S)
    speed = IntegerField(min_value=1, max_value=MONTH_S)
    accuracy = IntegerField(min_value=1, max_value=MONTH_S)


class AgreementIn(Body):
    """What the vendor promises."""

    accept_window_s = AcceptWindowsIn()
    min_batch = IntegerField(min_value=1, max_value=100_000)
    max_concurrent = IntegerField(min_value=1, max_value=10_000)
    start_window_s = IntegerField(min_value=1, max_value=MONTH_S)
    start_grace_s = IntegerField(
        required=False, max_value=DAY_S, help_text="Time to start or give back without blame after the first reminder."
    )
    base_s = IntegerField(required=False, max_value=MONTH_S, help_text="Time a batch takes besides its labels.")
    seconds_per_label = NumberField(min_value=0.001, max_value=DAY_S)
    signed_by = TextField()
    replaces = IntegerField(
        required=False,
        min_value=0,
        max_value=10**6,
        help_text="The version you have read, 0 for none.",
    )
    valid_from = InstantField(required=False, allow_null=True, help_text="From when the terms count; null: now.")


class AvailabilityIn(Body):
    """Whether and how much the vendor takes; what is left out stays as it is."""

    accepting = BooleanField(required=False)
    paused_until = InstantField(required=False, allow_null=True)
    slots = IntegerField(required=False, min_value=1, max_value=10_000)
    daily_limit = IntegerField(
        required=False, allow_null=True, min_value=1, max_value=10**7, help_text="Records a day in your time zone."
    )


class RequirementOut(Resource):
    """One thing to do: where it is entered, the way out, and until when."""

    code = serializers.CharField()
    field = serializers.CharField()
    detail = serializers.CharField()
    deadline = serializers.DateTimeField(allow_null=True)


class RequirementsOut(Resource):
    """What is open, by urgency."""

    currently_due = RequirementOut(many=True)
    eventually_due = RequirementOut(many=True)
    past_due = RequirementOut(many=True)
    pending_verification = RequirementOut(many=True)


class EstimateOut(Resource):
    """A ratio with its 90 % interval."""

    mean = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    n_observed = serializers.IntegerField()


class CherryPickingOut(Resource):
    """How much likelier batches are accepted in general than hard ones, with a 90 % interval."""

    index = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    n_hard_offers = serializers.IntegerField()


class ScoreOut(Resource):
    """A kind of work with the price in force and what is believed of it."""

    id = PublicIdField("cpb", source="capability_id")
    task_type = serializers.CharField()
    modality = serializers.CharField()
    language = serializers.CharField()
    domain = serializers.CharField()
    data_class = serializers.CharField()
    status = serializers.CharField()
    price_micro = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    accuracy = EstimateOut()
    acceptance = EstimateOut()
    completion = EstimateOut()
    accuracy_hard = EstimateOut(allow_null=True)
    cherry_picking = CherryPickingOut(allow_null=True)


class CapacityOut(Resource):
    """How much the vendor takes at once."""

    slots = serializers.IntegerField()
    in_flight = serializers.IntegerField()
    accepting = serializers.BooleanField(source="is_accepting")
    paused_until = serializers.DateTimeField(allow_null=True)
    time_zone = serializers.CharField()
    daily_limit = serializers.IntegerField(allow_null=True)
    keeps_hours = serializers.BooleanField()
    open_from = serializers.DateTimeField(allow_null=True)
    open_until = serializers.DateTimeField(allow_null=True)


class VendorOut(Resource):
    """A vendor as others see it."""

    id = own_id("ven")
    name = serializers.CharField()
    state = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    regions = serializers.ListField(child=serializers.CharField())
    n_batches_done = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class OwnVendorOut(VendorOut):
    """A vendor as it sees itself: what is due, and its scorecard."""

    state_reason = serializers.CharField()
    requirements = RequirementsOut()
    capacity = CapacityOut()
    scorecard = ScoreOut(many=True)


class CapabilityOut(Resource):
    """A declared kind of work."""

    id = own_id("cpb")
    task_type = serializers.CharField()
    modality = serializers.CharField()
    language = serializers.CharField()
    domain = serializers.CharField()
    data_class = serializers.CharField()
    status = serializers.CharField()
    qualified_until = serializers.DateTimeField(allow_null=True)
    evidence_until = serializers.DateTimeField(allow_null=True)


class PriceOut(Resource):
    """A listed price; it never changes."""

    id = own_id("prc")
    capability = PublicIdField("cpb", source="capability_id")
    price_micro = serializers.IntegerField()
    currency = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)


class AgreementOut(Resource):
    """A signed version of the terms."""

    id = own_id("agr")
    version = serializers.IntegerField()
    signed_by = serializers.CharField()
    terms_hash = serializers.CharField()
    valid_from = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


def own_vendor(vendor: Vendor) -> dict[str, Any]:
    """Return a vendor as it sees itself."""
    return VendorOut(vendor).data | {
        "state_reason": vendor.state_reason,
        "requirements": RequirementsOut(standing.requirements(vendor)).data,
        "capacity": CapacityOut(CapacityWindow.objects.get(vendor=vendor)).data,
        "scorecard": ScoreOut(scorecards.of_vendor(vendor), many=True).data,
    }


class VendorView(views.Resource):
    """The caller's own vendor."""

    action_scopes = {
        "retrieve": "vendor:read",
        "create": "vendor:write",
        "submit": "vendor:write",
        "availability": "vendor:write",
        "declare": "vendor:write",
        "price": "vendor:write",
        "sign": "vendor:write",
    }

    @extend_schema(responses=OwnVendorOut)
    def retrieve(self, request: Request) -> Response:
        """Return the own vendor with what is due and its scorecard."""
        return Response(own_vendor(vendors.own(self.actor)))

    @extend_schema(request=VendorIn, responses={201: OwnVendorOut})
    def create(self, request: Request) -> Response:
        """Register the organization as a vendor; asked again, the vendor is returned as it is."""
        given = {"languages": [], "regions": []} | self.given(VendorIn)
        return Response(own_vendor(onboarding.register(actor=self.actor, **given)), status=201)

    @extend_schema(request=EmptyBody, responses=OwnVendorOut)
    def submit(self, request: Request) -> Response:
        """Hand the application in for review."""
        self.given(EmptyBody)
        return Response(own_vendor(onboarding.submit(actor=self.actor)))

    @extend_schema(request=AvailabilityIn, responses=OwnVendorOut)
    def availability(self, request: Request) -> Response:
        """Switch work on or off, pause, or change the number of slots."""
        given = self.given(AvailabilityIn)
        if "accepting" in given:
            given["is_accepting"] = given.pop("accepting")
        changed = capacity.set_availability(actor=self.actor, change=Availability(**given))
        return Response(own_vendor(changed))

    @extend_schema(request=CapabilityIn, responses={201: CapabilityOut})
    def declare(self, request: Request) -> Response:
        """Declare a kind of work; it becomes active by qualification."""
        given = {"language": "", "domain": ""} | self.given(CapabilityIn)
        return self.answer(onboarding.declare_capability(actor=self.actor, **given), CapabilityOut, 201)

    @extend_schema(request=PriceIn, responses={201: PriceOut})
    def price(self, request: Request) -> Response:
        """List a price per label."""
        given = self.given(PriceIn)
        entry = onboarding.list_price(actor=self.actor, capability_id=given.pop("capability"), **given)
        return self.answer(entry, PriceOut, 201)

    @extend_schema(request=AgreementIn, responses={201: AgreementOut})
    def sign(self, request: Request) -> Response:
        """Sign the terms; a later signature replaces an earlier one for offers made from then on."""
        given = {"base_s": 0} | self.given(AgreementIn)
        windows = {f"accept_window_{name}_s": seconds for name, seconds in given.pop("accept_window_s").items()}
        replaces, valid_from = given.pop("replaces", None), given.pop("valid_from", None)
        terms = AgreementTerms(**windows, **given)
        signed = onboarding.sign_agreement(actor=self.actor, terms=terms, replaces=replaces, valid_from=valid_from)
        return self.answer(signed, AgreementOut, 201)
