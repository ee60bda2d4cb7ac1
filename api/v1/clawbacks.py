"""Pay taken back for work that broke the terms."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, PublicIdField, TextField
from api.serializers import Body, Resource, own_id
from marketplace.selectors import clawbacks as selectors
from marketplace.services import clawbacks


class ClawbackIn(Body):
    """So many paid labels of a piece of work, and what was wrong with it; the vendor reads why."""

    assignment = PublicIdField("asg")
    n_labels = IntegerField(min_value=1, max_value=10**6)
    reason = TextField(max_length=500)


class ClawbackReversalIn(Body):
    """Why it was wrong to take it back; the vendor reads it."""

    reason = TextField(max_length=500)


class ClawbackOut(Resource):
    """Labels whose pay was taken back; ``reversed_at`` says that the vendor got it again."""

    id = own_id("clw")
    assignment = PublicIdField("asg", source="settlement.assignment_id")
    job = PublicIdField("job", source="settlement.job_id")
    vendor = PublicIdField("ven", source="settlement.vendor_id")
    n_labels = serializers.IntegerField()
    vendor_micro = serializers.IntegerField()
    currency = serializers.CharField(source="settlement.currency")
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    reversed_at = serializers.DateTimeField(allow_null=True)


class ClawbacksView(views.Resource):
    """Pay taken back: a customer sees its jobs', a vendor its own, staff all."""

    action_scopes = {"list": "money:read", "take_back": "clawbacks:write", "reverse": "clawbacks:write"}

    @extend_schema(responses=ClawbackOut(many=True))
    def list(self, request: Request) -> Response:
        """List pay taken back, newest first."""
        return self.page(selectors.of(self.actor), ClawbackOut)

    @extend_schema(request=ClawbackIn, responses={201: ClawbackOut})
    def take_back(self, request: Request) -> Response:
        """Give a customer back what it paid for defective labels; the vendor owes its part."""
        given = self.given(ClawbackIn)
        row = clawbacks.take_back(actor=self.actor, assignment_id=given.pop("assignment"), **given)
        return self.answer(row, ClawbackOut, 201)

    @extend_schema(request=ClawbackReversalIn, responses=ClawbackOut)
    def reverse(self, request: Request, public_id: str) -> Response:
        """Give the vendor its pay back, at the platform's cost; the customer keeps what it got."""
        clawback_id = views.id_in_path("clw", public_id)
        return self.answer(
            clawbacks.reverse(actor=self.actor, clawback_id=clawback_id, **self.given(ClawbackReversalIn)), ClawbackOut
        )
