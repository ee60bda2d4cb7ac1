"""Invoices and statements, and who they are made out to."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import TextField
from api.serializers import Body, Resource, own_id
from marketplace.selectors import statements as selectors
from marketplace.services import statements


class BillingProfileIn(Body):
    """Who the organization is on paper. Tax is not worked out: the note is printed as it is."""

    legal_name = TextField(max_length=200)
    address = TextField(max_length=1000)
    country = serializers.RegexField("^[A-Z]{2}$")
    tax_id = TextField(required=False, allow_blank=True, max_length=64)
    tax_note = TextField(required=False, allow_blank=True, max_length=500)


class BillingProfileOut(Resource):
    """Who the organization is on paper."""

    legal_name = serializers.CharField()
    address = serializers.CharField()
    country = serializers.CharField()
    tax_id = serializers.CharField()
    tax_note = serializers.CharField()


class StatementLineOut(Resource):
    """Entries of one kind for one job or operation; the amount as the organization's money changed."""

    memo = serializers.CharField()
    concerns = serializers.SerializerMethodField(help_text="The job, or the payment, refund or payout.")
    n_entries = serializers.IntegerField()
    amount_micro = serializers.IntegerField()

    def get_concerns(self, line: dict[str, str]) -> str:
        """Return the job or operation."""
        return line["for"]


class StatementOut(Resource):
    """What moved in a month; numbered without gaps, never changed."""

    id = own_id("stm")
    number = serializers.CharField(source="title")
    kind = serializers.CharField()
    currency = serializers.CharField()
    period_start = serializers.DateField()
    period_end = serializers.DateField(help_text="The first day that is not part of it.")
    opening_micro = serializers.IntegerField()
    turnover_micro = serializers.IntegerField(help_text="Labels bought (negative) or earned, fees with them.")
    closing_micro = serializers.IntegerField()
    due_micro = serializers.IntegerField(
        help_text="What an invoice asks for: spent and not paid in, older ones included."
    )
    due_on = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()


class FullStatementOut(StatementOut):
    """A statement with its lines and whom it is made out to."""

    party = BillingProfileOut()
    lines = StatementLineOut(many=True)


class StatementsView(views.Resource):
    """Invoices of customers, statements of vendors; staff sees all."""

    action_scopes = {"list": "money:read", "retrieve": "money:read", "csv": "money:read"}

    @extend_schema(responses=StatementOut(many=True))
    def list(self, request: Request) -> Response:
        """List statements, newest first."""
        return self.page(selectors.of(self.actor), StatementOut)

    @extend_schema(responses=FullStatementOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return a statement with its lines."""
        return self.answer(selectors.get(self.actor, views.id_in_path("stm", public_id)), FullStatementOut)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def csv(self, request: Request, public_id: str) -> HttpResponse:
        """Return a statement as CSV, exact to the micro-unit."""
        found = selectors.get(self.actor, views.id_in_path("stm", public_id))
        headers = {
            "Content-Disposition": f'attachment; filename="{found.title}.csv"',
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(selectors.as_csv(found), content_type="text/csv", headers=headers)


class BillingProfileView(views.Resource):
    """Who the organization is on paper."""

    action_scopes = {"retrieve": "organization:read", "update": "organization:write"}

    @extend_schema(responses=BillingProfileOut)
    def retrieve(self, request: Request) -> Response:
        """Return the profile."""
        return self.answer(selectors.profile(self.actor), BillingProfileOut)

    @extend_schema(request=BillingProfileIn, responses=BillingProfileOut)
    def update(self, request: Request) -> Response:
        """Put the profile; statements issued before keep what they say."""
        return self.answer(statements.set_profile(actor=self.actor, **self.given(BillingProfileIn)), BillingProfileOut)
