"""Disputes of vendors, their blind adjudication, and the corrections that follow."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import LabelField, PublicIdField, TextField, choice
from api.serializers import Body, Resource, own_id
from api.v1.answers import check_one
from common.errors import NotFoundError
from marketplace.models import Correction, Dispute
from marketplace.selectors import disputes as selectors
from marketplace.services import adjudicators, disputes
from marketplace.services.annotations import CANNOT_LABEL_REASONS

STATES = list(Dispute.State.values)


class DisputeIn(Body):
    """What is disputed: the answer on a record (its key), or the verdict on the whole work."""

    text = TextField(max_length=5000)
    key = TextField(required=False, help_text="The record's key. Left out: the newest verdict on all of the work.")


class DecisionIn(Body):
    """What the label is: exactly one of ``label`` and ``cannot_label``."""

    label = LabelField(required=False, allow_null=True)  # type: ignore[assignment]
    cannot_label = choice(*CANNOT_LABEL_REASONS, required=False, allow_null=True)
    note = TextField(max_length=5000)


class FindingOut(Resource):
    """What was found of one disputed answer."""

    annotation = PublicIdField("ann", source="annotation_id")
    upheld = serializers.BooleanField(source="is_upheld", allow_null=True)
    note = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)


class DisputeOut(Resource):
    """A dispute."""

    id = own_id("dsp")
    job = PublicIdField("job", source="job_id")
    assignment = PublicIdField("asg", source="assignment_id")
    vendor = PublicIdField("ven", source="vendor_id")
    about = serializers.SerializerMethodField()
    text = serializers.CharField()
    state = serializers.CharField()
    n_answers = serializers.IntegerField()
    n_upheld = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_about(self, row: Dispute) -> str:
        """Return `verdict` or `answer`."""
        return "answer" if row.verdict_id is None else "verdict"


class FoundDisputeOut(DisputeOut):
    """A dispute with what was found of each answer."""

    findings = FindingOut(many=True, source="adjudications")


class AdjudicationOut(Resource):
    """A record to label anew. Whose the answers are, and which of them is disputed, cannot be seen."""

    id = own_id("adj")
    key = serializers.CharField()
    uri = serializers.CharField()
    metadata = serializers.DictField()
    task_type = serializers.CharField()
    classes = serializers.ListField(child=serializers.CharField())
    instructions = serializers.CharField()
    candidates = serializers.ListField(help_text="The different answers there are, shuffled; null: cannot be labeled.")
    handed_to = PublicIdField("ven", source="vendor_id", allow_null=True)
    fee_micro = serializers.IntegerField(help_text="What the vendor it is handed to earns by deciding it.")
    fee_currency = serializers.CharField()


class DecidedOut(Resource):
    """What was decided."""

    id = own_id("adj")
    upheld = serializers.BooleanField(source="is_upheld")
    note = serializers.CharField()
    decided_at = serializers.DateTimeField()


class CorrectionOut(Resource):
    """A label that was changed after it was decided; null labels: cannot be labeled."""

    id = own_id("cor")
    key = serializers.SerializerMethodField()
    gold = serializers.SerializerMethodField()
    old_label = serializers.SerializerMethodField()
    new_label = serializers.SerializerMethodField()
    old_confidence = serializers.FloatField(allow_null=True)
    new_confidence = serializers.FloatField(allow_null=True)
    cause = serializers.SerializerMethodField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_key(self, row: Correction) -> str:
        """Return the record's key."""
        return _about(row).key

    def get_gold(self, row: Correction) -> bool:
        """Return whether it is a gold record."""
        return row.gold_id is not None

    def get_old_label(self, row: Correction) -> Any:
        """Return the label before."""
        return _shown(row, row.old_label, row.old_value)

    def get_new_label(self, row: Correction) -> Any:
        """Return the label since."""
        return _shown(row, row.new_label, row.new_value)

    def get_cause(self, row: Correction) -> str:
        """Return `review` or `dispute`."""
        return "review" if row.review_id is not None else "dispute"


def _about(row: Correction) -> Any:
    return row.record or row.gold


def _shown(row: Correction, label: int | None, value: Any) -> Any:
    if label is None or label < 0:
        return None
    return row.job.label_schema.shown(label, value, _about(row).metadata)


class DisputesView(views.Resource):
    """Disputes: a vendor's own, those about a customer's jobs, for staff all."""

    action_scopes = {"list": "disputes:read", "retrieve": "disputes:read", "create": "disputes:write"}
    action_parameters = {"list": frozenset({"state"})}

    @extend_schema(parameters=[OpenApiParameter("state", enum=STATES)], responses=DisputeOut(many=True))
    def list(self, request: Request) -> Response:
        """List disputes, newest first."""
        rows = selectors.for_actor(self.actor)
        state = self.parameter("state", *STATES)
        return self.page(rows if state is None else rows.filter(state=state), DisputeOut)

    @extend_schema(responses=FoundDisputeOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Return a dispute with what was found of each answer."""
        return self.answer(selectors.get(self.actor, views.id_in_path("dsp", public_id)), FoundDisputeOut)

    @extend_schema(request=DisputeIn, responses={201: FoundDisputeOut})
    def create(self, request: Request, public_id: str) -> Response:
        """Dispute a refused answer or the newest verdict, within seven days of the decision."""
        work = views.id_in_path("asg", public_id)
        opened = disputes.open_dispute(actor=self.actor, assignment_id=work, **self.given(DisputeIn))
        return self.answer(selectors.get(self.actor, opened.pk), FoundDisputeOut, 201)


class HandOutIn(Body):
    """Who shall label it anew; null: the market's most accurate vendor that has no stake in it."""

    vendor = PublicIdField("ven", allow_null=True)


class HandedOut(Resource):
    """Who has it now."""

    id = own_id("adj")
    handed_to = PublicIdField("ven", source="vendor_id")
    handed_at = serializers.DateTimeField()


class AdjudicationsView(views.Resource):
    """What staff labels anew, blind, or hands to another vendor."""

    action_scopes = {"list": "disputes:decide", "decide": "disputes:decide", "hand_out": "disputes:decide"}
    ordering = "id"

    @extend_schema(responses=AdjudicationOut(many=True))
    def list(self, request: Request) -> Response:
        """List what is to be labeled anew, oldest first."""
        return self.page(selectors.to_decide(self.actor), _BlindOut)

    @extend_schema(request=DecisionIn, responses=DecidedOut)
    def decide(self, request: Request, public_id: str) -> Response:
        """Label a disputed record anew; records, gold, pay and proven accuracy follow as corrections."""
        adjudication_id = views.id_in_path("adj", public_id)
        if not selectors.exists(self.actor, adjudication_id):
            raise NotFoundError
        given = self.given(DecisionIn)
        label = check_one(given, "answer")
        row = disputes.adjudicate(actor=self.actor, adjudication_id=adjudication_id, label=label, note=given["note"])
        return self.answer(row, DecidedOut)

    @extend_schema(request=HandOutIn, responses=HandedOut)
    def hand_out(self, request: Request, public_id: str) -> Response:
        """Have another vendor label it anew: neither the one that disputes nor one that answered the record."""
        row = adjudicators.hand_out(
            actor=self.actor,
            adjudication_id=views.id_in_path("adj", public_id),
            vendor_id=self.given(HandOutIn)["vendor"],
        )
        return self.answer(row, HandedOut)


class OwnAdjudicationsView(AdjudicationsView):
    """What was handed to the caller's vendor to label anew, blind."""

    action_scopes = {"list": "adjudications:decide", "decide": "adjudications:decide"}


class _BlindList(serializers.ListSerializer[Any]):
    def to_representation(self, data: Any) -> Any:
        return super().to_representation(selectors.blind(list(data)))


class _BlindOut(AdjudicationOut):
    class Meta:
        list_serializer_class = _BlindList


class CorrectionsView(views.Resource):
    """What was changed after it was decided."""

    action_scopes = {"list": "jobs:read"}

    @extend_schema(responses=CorrectionOut(many=True))
    def list(self, request: Request, public_id: str) -> Response:
        """List a job's corrections, newest first."""
        return self.page(selectors.corrections(self.actor, views.id_in_path("job", public_id)), CorrectionOut)
