"""Batches with the chain of offers made for each."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fates import NextOut
from api.fields import IntegerField, NumberField, PublicIdField, RatioField, TextField, choice
from api.serializers import Body, EmptyBody, Resource, many, own_id
from marketplace.core.states import BatchState
from marketplace.models import Batch, Offer
from marketplace.selectors import jobs
from marketplace.services import bonuses, cancellations, escalations, reviews
from marketplace.services.reviews import Refusal


class ResolveIn(Body):
    """What to do with a batch that nobody took."""

    choice = choice(*escalations.CHOICES)
    max_price_micro = IntegerField(required=False, allow_null=True, min_value=1, max_value=10**12)
    min_accuracy = RatioField(required=False, allow_null=True)
    wait_s = NumberField(
        required=False,
        allow_null=True,
        min_value=0.0,
        max_value=escalations.MAX_WAIT_S,
        help_text="How long to wait before everybody is asked again; with the choice wait.",
    )


class RefusalIn(Body):
    """A label that is refused, and why."""

    key = TextField()
    reason = TextField(max_length=500)


class BonusIn(Body):
    """What the batch's vendor gets on top, out of the wallet, and for what."""

    amount_micro = IntegerField(min_value=1, max_value=10**12, help_text="1 USD = 1,000,000.")
    reason = TextField(max_length=500)


class BonusOut(Resource):
    """A batch's earnings after a bonus."""

    batch = PublicIdField("bat", source="assignment.batch_id")
    vendor = PublicIdField("ven", source="vendor_id")
    currency = serializers.CharField()


class BatchReviewIn(Body):
    """Accept the batch, or refuse single labels of it."""

    decision = choice("accept", "refuse")
    records = many(RefusalIn, required=False, max_items=10_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse records that are named beside an acceptance."""
        if attrs["decision"] == "accept" and attrs.get("records"):
            detail = "Accept the whole batch without records, or refuse those you name."
            raise serializers.ValidationError({"records": detail}, code="not_with_accept")
        return attrs


class BatchOut(Resource):
    """A small set of records sent to one vendor."""

    id = own_id("bat")
    job = PublicIdField("job", source="job_id")
    lot = PublicIdField("lot", source="lot_id")
    lot_number = serializers.IntegerField(source="lot.number")
    chunk = serializers.IntegerField()
    layer = serializers.IntegerField()
    part = serializers.IntegerField()
    hard_ratio = serializers.FloatField(allow_null=True)
    state = serializers.CharField()
    round = serializers.IntegerField()
    n_items = serializers.IntegerField()
    n_open = serializers.IntegerField()
    n_offers = serializers.IntegerField()
    reason = serializers.CharField()
    next = NextOut(source="*", kind="batch")
    next_offer_at = serializers.DateTimeField(
        source="offer_due_at", allow_null=True, help_text="When the market looks again; null while an offer is live."
    )
    review = serializers.CharField(help_text="Empty while there is nothing to review, then open, then its outcome.")
    review_due_at = serializers.DateTimeField(allow_null=True, help_text="Then it counts as accepted.")
    reviewed_at = serializers.DateTimeField(allow_null=True)
    time_to_accept_s = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_time_to_accept_s(self, batch: Batch) -> float | None:
        """Return how long the review took, seconds."""
        if batch.reviewed_at is None or batch.review_from_at is None:
            return None
        return (batch.reviewed_at - batch.review_from_at).total_seconds()


class ChainedOfferOut(Resource):
    """An offer as the customer sees it: to whom, why in this place, and what came of it."""

    id = own_id("off")
    vendor = PublicIdField("ven", source="vendor_id")
    vendor_name = serializers.CharField(source="vendor.name")
    round = serializers.IntegerField()
    sequence = serializers.IntegerField()
    state = serializers.CharField()
    n_records = serializers.IntegerField(source="n_items")
    price_micro = serializers.IntegerField()
    currency = serializers.CharField()
    words = serializers.CharField(source="candidate.words")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    assignment_state = serializers.SerializerMethodField()

    def get_assignment_state(self, offer: Offer) -> str | None:
        """Return how the accepted work stands."""
        assignment = getattr(offer, "assignment", None)
        return assignment.state if assignment is not None else None


class BatchDetailOut(BatchOut):
    """A batch with its chain of offers and the choices an escalated one leaves."""

    offers = ChainedOfferOut(many=True)
    choices = serializers.ListField(child=serializers.CharField())


class JobBatchesView(views.Resource):
    """The batches of one job."""

    action_scopes = {"list": "jobs:read"}

    @extend_schema(responses=BatchOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List a job's batches, newest first."""
        job = jobs.get(self.actor, views.id_in_path("job", public_id))
        return self.page(jobs.batches(self.actor).filter(job=job), BatchOut)


class BatchesView(views.Resource):
    """A batch of the caller's jobs."""

    action_scopes = {
        "retrieve": "jobs:read",
        "resolve": "jobs:write",
        "cancel": "jobs:write",
        "review": "jobs:write",
        "bonus": "jobs:write",
    }

    @extend_schema(responses=BatchDetailOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return a batch with its chain of offers."""
        return Response(self._detail(jobs.batch(self.actor, views.id_in_path("bat", public_id))))

    @extend_schema(request=BonusIn, responses={201: BonusOut})
    def bonus(self, request: Request, public_id: str) -> Response:
        """Give the batch's vendor a bonus, once; asked again with the same amount, nothing more is given."""
        batch_id = views.id_in_path("bat", public_id)
        earned = bonuses.grant(actor=self.actor, batch_id=batch_id, **self.given(BonusIn))
        return self.answer(earned, BonusOut, 201)

    @extend_schema(request=ResolveIn, responses=BatchDetailOut)
    def resolve(self, request: Request, public_id: str) -> Response:
        """Decide on an escalated batch: pay more, ask less, wait, or close it."""
        batch_id = views.id_in_path("bat", public_id)
        escalations.resolve(actor=self.actor, batch_id=batch_id, **self.given(ResolveIn))
        return Response(self._detail(jobs.batch(self.actor, batch_id)))

    @extend_schema(request=BatchReviewIn, responses=BatchDetailOut)
    def review(self, request: Request, public_id: str) -> Response:
        """Review a vetted batch: accept it, or refuse single labels with reasons; what is not refused is paid."""
        given = self.given(BatchReviewIn)
        batch_id = views.id_in_path("bat", public_id)
        if given["decision"] == "accept":
            reviews.accept(actor=self.actor, batch_id=batch_id)
        else:
            refusals = [Refusal(row["key"], row["reason"]) for row in given.get("records", [])]
            reviews.refuse(actor=self.actor, batch_id=batch_id, refusals=refusals)
        return Response(self._detail(jobs.batch(self.actor, batch_id)))

    @extend_schema(request=EmptyBody, responses=BatchDetailOut)
    def cancel(self, request: Request, public_id: str) -> Response:
        """Cancel a batch that is not delivered yet; what was delivered of it is kept and paid."""
        self.given(EmptyBody)
        batch_id = views.id_in_path("bat", public_id)
        cancellations.cancel_batch(actor=self.actor, batch_id=batch_id)
        return Response(self._detail(jobs.batch(self.actor, batch_id)))

    def _detail(self, batch: Batch) -> dict[str, Any]:
        is_escalated = batch.state == BatchState.ESCALATED
        return BatchOut(batch).data | {
            "offers": ChainedOfferOut(jobs.offer_chain(self.actor, batch.pk), many=True).data,
            "choices": list(escalations.CHOICES) if is_escalated else [],
        }
