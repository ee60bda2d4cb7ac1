"""How our books compare with the payment provider's: for staff."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.serializers import Resource, own_id
from api.v1.money import BalancesOut
from marketplace.selectors import money

STATES = ("open", "resolved")


class RunOut(Resource):
    """One comparison; ``book_problems`` says where our own ledger does not add up."""

    id = own_id("rcn")
    created_at = serializers.DateTimeField()
    judged_from = serializers.DateTimeField()
    n_theirs = serializers.IntegerField()
    n_ours = serializers.IntegerField()
    n_differences = serializers.IntegerField()
    n_new = serializers.IntegerField()
    book_problems = serializers.ListField(child=serializers.CharField())


class DifferenceOut(Resource):
    """A reference on which both sides differ; what our books lack stands in suspense until it is resolved."""

    id = own_id("dif")
    created_at = serializers.DateTimeField()
    kind = serializers.CharField()
    reference = serializers.CharField()
    currency = serializers.CharField()
    theirs_micro = serializers.IntegerField()
    ours_micro = serializers.IntegerField()
    suspense_micro = serializers.IntegerField()
    seen_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class ReconciliationView(views.Resource):
    """Comparisons of our books with the payment provider's, and the differences they found."""

    action_scopes = {"runs": "reconciliation:read", "differences": "reconciliation:read"} | {
        "books": "reconciliation:read"
    }
    action_parameters = {"differences": frozenset({"state"})}

    @extend_schema(responses=BalancesOut)
    def books(self, request: Request) -> Response:
        """Return the whole ledger by kind and currency; each currency's sum is 0."""
        return self.answer({"balances": money.books(self.actor)}, BalancesOut)

    @extend_schema(responses=RunOut(many=True))
    def runs(self, request: Request) -> Response:
        """List comparisons, newest first."""
        return self.page(money.reconciliation_runs(self.actor), RunOut)

    @extend_schema(parameters=[OpenApiParameter("state", enum=list(STATES))], responses=DifferenceOut(many=True))
    def differences(self, request: Request) -> Response:
        """List differences, newest first."""
        state = self.parameter("state", *STATES)
        is_open = None if state is None else state == "open"
        return self.page(money.reconciliation_differences(self.actor, is_open=is_open), DifferenceOut)
