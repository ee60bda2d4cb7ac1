"""Invoice terms: staff lets a customer spend first and pay by invoice."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, PublicIdField
from api.serializers import Body, EmptyBody, Resource, own_id
from marketplace.models import InvoiceTerms
from marketplace.selectors import credit as selectors
from marketplace.services import invoice_terms


class InvoiceTermsIn(Body):
    """How far a customer's wallet may go below zero, and how many days an invoice may be paid in."""

    organization = PublicIdField("org")
    currency = serializers.RegexField("^[A-Z]{3}$")
    limit_micro = IntegerField(min_value=1, max_value=10**15, help_text="1 USD = 1,000,000.")
    days = IntegerField(max_value=180)


class InvoiceTermsOut(Resource):
    """Invoice terms, and how much of them is used."""

    id = own_id("itm")
    organization = PublicIdField("org", source="organization_id")
    currency = serializers.CharField()
    limit_micro = serializers.IntegerField()
    used_micro = serializers.IntegerField(help_text="How far the wallet is below zero.")
    days = serializers.IntegerField()
    overdue = serializers.SerializerMethodField(help_text="An invoice not paid by its date: nothing more is lent then.")
    created_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)

    def get_overdue(self, row: InvoiceTerms) -> str | None:
        """Return the invoice's number."""
        return row.overdue  # type: ignore[attr-defined]


class InvoiceTermsView(views.Resource):
    """Invoice terms: a customer sees its own, staff all."""

    action_scopes = {"list": "money:read", "grant": "credit:write", "revoke": "credit:write"}

    @extend_schema(responses=InvoiceTermsOut(many=True))
    def list(self, request: Request) -> Response:
        """List invoice terms, newest first."""
        return self.page(selectors.of(self.actor), InvoiceTermsOut)

    @extend_schema(request=InvoiceTermsIn, responses={201: InvoiceTermsOut})
    def grant(self, request: Request) -> Response:
        """Give a customer invoice terms in a currency, or change them."""
        given = self.given(InvoiceTermsIn)
        terms = invoice_terms.grant(actor=self.actor, organization_id=given.pop("organization"), **given)
        return self.answer(selectors.of(self.actor).get(pk=terms.pk), InvoiceTermsOut, 201)

    @extend_schema(request=EmptyBody, responses=InvoiceTermsOut)
    def revoke(self, request: Request, public_id: str) -> Response:
        """End invoice terms: nothing more is lent, what is owed stays due."""
        self.given(EmptyBody)
        terms = invoice_terms.revoke(actor=self.actor, terms_id=views.id_in_path("itm", public_id))
        return self.answer(selectors.of(self.actor).get(pk=terms.pk), InvoiceTermsOut)
