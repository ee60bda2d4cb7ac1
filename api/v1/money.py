"""Money: a customer's wallet, a vendor's payouts."""

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.errors import InvalidParameterError
from api.fields import IntegerField, PublicIdField, TextField
from api.serializers import Body, Resource, own_id
from common.models import LedgerEntry
from marketplace.selectors import ledger_export, money
from marketplace.services import payouts, wallets

_KINDS = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


class PaymentMethodIn(Body):
    """A card or bank account, as the token that the payment provider's own form gave for it."""

    token = TextField(max_length=100)


class TopUpIn(Body):
    """How much to pay in, in minor units (cents); the newest payment method unless another is named."""

    amount_minor = IntegerField(min_value=1, max_value=10**12)
    currency = serializers.RegexField("^[A-Z]{3}$")
    payment_method = PublicIdField("pmt", required=False)


class RefundIn(Body):
    """How much of a top-up to give back."""

    top_up = PublicIdField("mop")
    amount_minor = IntegerField(min_value=1, max_value=10**12)


class PayoutAccountIn(Body):
    """Where the provider's page sends the visitor afterwards."""

    return_url = serializers.URLField(max_length=2000)


class PaymentMethodOut(Resource):
    """A payment method; its details stay with the provider."""

    id = own_id("pmt")
    created_at = serializers.DateTimeField()


class BalanceOut(Resource):
    """Money of one kind: wallet (free), hold (reserved for jobs), payable (earned), in_transfer, clawback."""

    kind = serializers.CharField()
    currency = serializers.CharField()
    amount_micro = serializers.IntegerField()


class BalancesOut(Resource):
    """All balances."""

    balances = BalanceOut(many=True)


class OperationOut(Resource):
    """A payment, refund or payout; ``failed`` says why in ``error``."""

    id = own_id("mop")
    kind = serializers.CharField()
    state = serializers.CharField()
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    error_code = serializers.CharField()
    created_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)


class EntryOut(Resource):
    """A line of the ledger; ``group`` names the job, settlement or operation it belongs to."""

    id = own_id("ent")
    created_at = serializers.DateTimeField()
    memo = serializers.CharField()
    group = serializers.CharField()
    from_kind = serializers.CharField(source="debit.kind")
    to_kind = serializers.CharField(source="credit.kind")
    amount_micro = serializers.SerializerMethodField()
    currency = serializers.CharField()

    def get_amount_micro(self, entry: LedgerEntry) -> int:
        """Return the amount, negative when it left the organization."""
        return int(entry.signed_micro)  # type: ignore[attr-defined]


class PayoutAccountOut(Resource):
    """Where a vendor is paid; what is missing is entered on the provider's page."""

    id = own_id("pac")
    is_ready = serializers.BooleanField()
    missing = serializers.ListField(child=serializers.CharField())


class LinkOut(Resource):
    """The provider's page for a vendor's bank account; good for a few minutes."""

    url = serializers.URLField()


class MoneyView(views.Resource):
    """Balances, ledger lines and operations of the caller's organization."""

    action_scopes = {
        "balances": "money:read",
        "entries": "money:read",
        "export": "money:read",
        "operations": "money:read",
    }
    action_parameters = {"export": frozenset({"form", "after"})}

    @extend_schema(responses=BalancesOut)
    def balances(self, request: Request) -> Response:
        """Return the balances by kind and currency."""
        return self.answer({"balances": money.balances(self.actor)}, BalancesOut)

    @extend_schema(responses=EntryOut(many=True))
    def entries(self, request: Request) -> Response:
        """List ledger lines, newest first."""
        return self.page(money.entries(self.actor), EntryOut)

    @extend_schema(
        parameters=[
            OpenApiParameter("form", enum=list(ledger_export.FORMS), description="Default: jsonl."),
            OpenApiParameter("after", str, description="The last entry known: go on after it."),
        ],
        responses={(200, kind): OpenApiTypes.STR for kind in _KINDS.values()},
    )
    def export(self, request: Request) -> HttpResponseBase:
        """Return ledger entries as one file, oldest first; staff gets those of all, with whose accounts they are."""
        form = self.parameter("form", *ledger_export.FORMS) or "jsonl"
        try:
            parts = ledger_export.export(self.actor, form, after=self.parameter("after") or "")
        except ValueError:
            raise InvalidParameterError("after is the id of an entry, such as ent_01...") from None
        headers = {
            "Content-Disposition": f'attachment; filename="ledger.{form}"',
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingHttpResponse(parts, content_type=_KINDS[form], headers=headers)

    @extend_schema(responses=OperationOut(many=True))
    def operations(self, request: Request) -> Response:
        """List payments, refunds and payouts, newest first."""
        return self.page(money.operations(self.actor), OperationOut)


class WalletView(views.Resource):
    """A customer's money: paid in, and given back."""

    action_scopes = {
        "methods": "wallet:write",
        "add_method": "wallet:write",
        "top_up": "wallet:write",
        "refund": "wallet:write",
    }

    @extend_schema(responses=PaymentMethodOut(many=True))
    def methods(self, request: Request) -> Response:
        """List payment methods, newest first."""
        return self.page(money.methods(self.actor), PaymentMethodOut)

    @extend_schema(request=PaymentMethodIn, responses={201: PaymentMethodOut})
    def add_method(self, request: Request) -> Response:
        """Keep a payment method for top-ups."""
        kept = wallets.add_method(actor=self.actor, token=self.given(PaymentMethodIn)["token"])
        return self.answer(kept, PaymentMethodOut, 201)

    @extend_schema(request=TopUpIn, responses={201: OperationOut})
    def top_up(self, request: Request) -> Response:
        """Pay into the wallet; it counts once the operation is done."""
        given = self.given(TopUpIn)
        op = wallets.top_up(
            actor=self.actor,
            amount_minor=given["amount_minor"],
            currency=given["currency"],
            method_id=given.get("payment_method"),
        )
        return self.answer(op, OperationOut, 201)

    @extend_schema(request=RefundIn, responses={201: OperationOut})
    def refund(self, request: Request) -> Response:
        """Give wallet money back to where a top-up came from."""
        given = self.given(RefundIn)
        op = wallets.refund(actor=self.actor, top_up_id=given["top_up"], amount_minor=given["amount_minor"])
        return self.answer(op, OperationOut, 201)


class PayoutAccountView(views.Resource):
    """Where the caller's vendor is paid."""

    action_scopes = {"retrieve": "payouts:write", "open": "payouts:write"}

    @extend_schema(responses=PayoutAccountOut)
    def retrieve(self, request: Request) -> Response:
        """Return the payout account."""
        return self.answer(payouts.account_of(actor=self.actor), PayoutAccountOut)

    @extend_schema(request=PayoutAccountIn, responses=LinkOut)
    def open(self, request: Request) -> Response:
        """Open the account if there is none, and return the page where its details are entered."""
        url = payouts.open_account(actor=self.actor, return_url=self.given(PayoutAccountIn)["return_url"])
        return self.answer({"url": url}, LinkOut)
