"""What runs the market: all vendors, their review, qualification tests."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import InstantField, IntegerField, MetadataField, NumberField, TextField, choice, texts
from api.serializers import Body, Resource, many, own_id
from api.v1.answers import AnswerIn, check_one
from api.v1.label_schemas import RulesIn
from api.v1.vendor import VendorOut
from marketplace.core import checks
from marketplace.services import qualifying, vendor_exits
from marketplace.services.qualifying import KnownRecord
from vendors.models import Vendor
from vendors.selectors import vendors

MAX_GOLD = 10_000
DECISIONS = ("approve", "request_changes", "reject", "suspend", "readmit")


class ReviewIn(Body):
    """A decision on a vendor, with the reason the vendor reads."""

    decision = choice(*DECISIONS)
    reason = TextField(max_length=2000)
    until = InstantField(required=False, allow_null=True, help_text="When a suspension ends by itself.")


class GoldRecordIn(AnswerIn):
    """A record with its known label."""

    uri = TextField(required=False, allow_blank=True, max_length=2000)
    metadata = MetadataField(required=False)


class GoldSetIn(Body):
    """The test of one kind of work."""

    task_type = choice(*checks.task_types())
    modality = TextField(max_length=32)
    language = TextField(max_length=16, required=False, allow_blank=True)
    domain = TextField(max_length=64, required=False, allow_blank=True)
    classes = texts(max_items=1000, required=False)
    rules = RulesIn(required=False)
    records = many(GoldRecordIn, allow_empty=False, max_items=MAX_GOLD)
    n_records_per_attempt = IntegerField(required=False, min_value=1, max_value=MAX_GOLD)
    floor = NumberField(required=False, min_value=0.01, max_value=0.999)
    fee_micro = IntegerField(required=False, max_value=10**12, help_text="What a try is paid, passed or not.")


class GoldSetOut(Resource):
    """A test, without its records."""

    id = own_id("gst")
    task_type = serializers.CharField()
    modality = serializers.CharField()
    language = serializers.CharField()
    domain = serializers.CharField()
    classes = serializers.ListField(child=serializers.CharField())
    rules = serializers.DictField()
    n_records_per_attempt = serializers.IntegerField()
    floor = serializers.FloatField()
    fee_micro = serializers.IntegerField()


class ReviewedVendorOut(VendorOut):
    """A vendor with the reason of its state."""

    state_reason = serializers.CharField()


class VendorsView(views.Resource):
    """The vendors of the market: staff sees all, a customer those that may work for it."""

    action_scopes = {"list": "vendors:read", "review": "vendors:review"}
    action_parameters = {"list": frozenset({"state"})}

    @extend_schema(
        parameters=[OpenApiParameter("state", enum=list(Vendor.State.values))], responses=VendorOut(many=True)
    )
    def list(self, request: Request) -> Response:
        """List vendors, newest first."""
        rows = vendors.for_actor(self.actor)
        state = self.parameter("state", *Vendor.State.values)
        return self.page(rows if state is None else rows.filter(state=state), VendorOut)

    @extend_schema(request=ReviewIn, responses=ReviewedVendorOut)
    def review(self, request: Request, public_id: str) -> Response:
        """Decide on a vendor."""
        vendor_id = views.id_in_path("ven", public_id)
        reviewed = vendor_exits.review(actor=self.actor, vendor_id=vendor_id, **self.given(ReviewIn))
        return self.answer(reviewed, ReviewedVendorOut)


class GoldSetsView(views.Resource):
    """The platform's qualification tests."""

    action_scopes = {"create": "gold_sets:write"}

    @extend_schema(request=GoldSetIn, responses={201: GoldSetOut})
    def create(self, request: Request) -> Response:
        """Add the test of a kind of work."""
        given = {"language": "", "domain": "", "classes": [], "rules": {}} | self.given(GoldSetIn)
        records = [
            KnownRecord(row["key"], check_one(row, f"records[{n}]"), row.get("uri", ""), row.get("metadata", {}))
            for n, row in enumerate(given.pop("records"))
        ]
        return self.answer(qualifying.add_gold_set(actor=self.actor, records=records, **given), GoldSetOut, 201)
