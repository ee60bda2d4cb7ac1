"""Offers as the vendor sees them: what, how many, for how much, until when."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fates import NextOut
from api.fields import IntegerField, PublicIdField, TextField, choice
from api.serializers import Body, EmptyBody, Resource, own_id
from api.v1.assignments import AssignmentOut, JobSummaryOut
from common.clock import database_now
from marketplace.core.states import OfferState
from marketplace.models import Offer
from marketplace.selectors import work
from marketplace.services import cancellations, interests, offers

STATES = [state.value for state in OfferState]


class AcceptIn(Body):
    """How much of it; everything when left out."""

    n_records = IntegerField(
        required=False, min_value=1, max_value=10_000, help_text="Take so many only; the next candidate gets the rest."
    )


class DeclineIn(Body):
    """Why not."""

    reason = choice(*offers.DECLINE_REASONS)


class WithdrawIn(Body):
    """Why an offer is taken back."""

    reason = TextField(max_length=64)


class InterestOut(Resource):
    """Late interest in the batch of an offer that ran out."""

    offer = PublicIdField("off", source="offer_id")
    created_at = serializers.DateTimeField()
    considered_at = serializers.DateTimeField(
        allow_null=True, help_text="When the batch was ranked anew with you first among equals; null while you wait."
    )


class OfferOut(Resource):
    """A time-limited proposal; compare ``expires_at`` with ``server_now``, not with your own clock."""

    id = own_id("off")
    state = serializers.CharField()
    job = JobSummaryOut()
    batch = PublicIdField("bat", source="batch_id")
    n_records = serializers.IntegerField(source="n_items")
    price_micro = serializers.IntegerField()
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    next = NextOut(source="*", kind="offer")
    server_now = serializers.SerializerMethodField()

    def get_server_now(self, offer: Offer) -> str:
        """Return the clock that decides."""
        return str(serializers.DateTimeField().to_representation(self.context["now"]))


class OffersView(views.Resource):
    """The offers made to the caller's vendor."""

    action_scopes = {
        "list": "offers:read",
        "retrieve": "offers:read",
        "accept": "offers:decide",
        "decline": "offers:decide",
        "interest": "offers:decide",
        "withdraw": "offers:withdraw",
    }
    action_parameters = {"list": frozenset({"state"})}

    @extend_schema(parameters=[OpenApiParameter("state", enum=STATES)], responses=OfferOut(many=True))
    def list(self, request: Request) -> Response:
        """List offers, newest first."""
        rows = work.offers(self.actor)
        state = self.parameter("state", *STATES)
        rows = rows if state is None else rows.filter(state=state)
        return self.page(rows, OfferOut, now=database_now())

    @extend_schema(responses=OfferOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return an offer."""
        return Response(self._shown(views.id_in_path("off", public_id)))

    @extend_schema(request=AcceptIn, responses=AssignmentOut)
    def accept(self, request: Request, public_id: str) -> Response:
        """Accept an offer, or a part: the work is yours from the answer on. Asked again, the same work comes back."""
        accepted = offers.accept(actor=self.actor, offer_id=views.id_in_path("off", public_id), **self.given(AcceptIn))
        return self.answer(work.assignments(self.actor).get(pk=accepted.pk), AssignmentOut)

    @extend_schema(request=DeclineIn, responses=OfferOut)
    def decline(self, request: Request, public_id: str) -> Response:
        """Decline an offer; it weighs half of letting it expire."""
        offer_id = views.id_in_path("off", public_id)
        offers.decline(actor=self.actor, offer_id=offer_id, **self.given(DeclineIn))
        return Response(self._shown(offer_id))

    @extend_schema(request=EmptyBody, responses=InterestOut)
    def interest(self, request: Request, public_id: str) -> Response:
        """Say that you still want the batch of an offer you were too late for; you are told when it comes back."""
        self.given(EmptyBody)
        noted = interests.register(actor=self.actor, offer_id=views.id_in_path("off", public_id))
        return self.answer(noted, InterestOut)

    @extend_schema(request=WithdrawIn, responses=OfferOut)
    def withdraw(self, request: Request, public_id: str) -> Response:
        """Take a live offer back (staff); the batch goes to the next candidate and the vendor's record is untouched."""
        offer_id = views.id_in_path("off", public_id)
        cancellations.withdraw_offer(actor=self.actor, offer_id=offer_id, **self.given(WithdrawIn))
        return Response(self._shown(offer_id))

    def _shown(self, offer_id: Any) -> Any:
        offer = views.found(work.offers(self.actor), offer_id)
        return OfferOut(offer, context={"now": database_now()}).data
