"""Amounts held on a card for one job, instead of a wallet filled before."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import IntegerField, PublicIdField
from api.serializers import Body, Resource, own_id
from marketplace.models import CardHold
from marketplace.selectors import money
from marketplace.services import card_holds


class CardHoldIn(Body):
    """How much is held, in minor units (cents); on the newest payment method unless another is named."""

    amount_minor = IntegerField(min_value=1, max_value=10**12)
    currency = serializers.RegexField("^[A-Z]{3}$")
    payment_method = PublicIdField("pmt", required=False)


class CardHoldOut(Resource):
    """An amount held on a card; post a job with it within a day. Only what its labels cost is taken."""

    id = own_id("chd")
    operation = PublicIdField("mop", source="op_id")
    state = serializers.CharField(source="op.state")
    amount_minor = serializers.IntegerField(source="op.amount_minor")
    currency = serializers.CharField(source="op.currency")
    error_code = serializers.CharField(source="op.error_code")
    job = PublicIdField("job", source="job_id", allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.SerializerMethodField(help_text="When the card's bank may free it; renewed before that.")

    def get_expires_at(self, hold: CardHold) -> str:
        """Return when it runs out."""
        return card_holds.expires_at(hold).isoformat()


class CardHoldsView(views.Resource):
    """Amounts held on the customer's cards."""

    action_scopes = {"list": "money:read", "create": "wallet:write"}

    @extend_schema(responses=CardHoldOut(many=True))
    def list(self, request: Request) -> Response:
        """List amounts held on cards, newest first."""
        return self.page(money.card_holds(self.actor), CardHoldOut)

    @extend_schema(request=CardHoldIn, responses={201: CardHoldOut})
    def create(self, request: Request) -> Response:
        """Have an amount held on a card for a job; nothing is taken yet."""
        given = self.given(CardHoldIn)
        hold = card_holds.authorize(
            actor=self.actor,
            amount_minor=given["amount_minor"],
            currency=given["currency"],
            method_id=given.get("payment_method"),
        )
        return self.answer(hold, CardHoldOut, 201)
