"""A vendor's papers, objections and exit; a customer's own vendors; what staff decide on them."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import BooleanField, InstantField, PublicIdField, TextField, choice
from api.serializers import Body, EmptyBody, Resource, own_id
from api.v1.vendor import OwnVendorOut, own_vendor
from marketplace.services import vendor_exits
from vendors.core.evidence import KINDS
from vendors.selectors import vendors
from vendors.services import appeals, documents, invitations
from vendors.services.documents import DocumentInput


class DocumentIn(Body):
    """A paper: it stays with the vendor; we keep its address and SHA-256."""

    kind = choice(*KINDS)
    number = TextField(max_length=200)
    uri = TextField(max_length=2000)
    sha256 = serializers.RegexField("^[0-9a-f]{64}$")
    issued_at = InstantField()
    expires_at = InstantField(required=False, allow_null=True)
    capability = PublicIdField("cpb", required=False, allow_null=True)


class PaperDecisionIn(Body):
    """Yes or no, with the reason the vendor reads."""

    is_accepted = BooleanField()
    reason = TextField(max_length=2000)


class AppealIn(Body):
    """Why the decision is wrong."""

    text = TextField(max_length=10_000)


class CloseIn(Body):
    """Why the vendor leaves."""

    reason = TextField(max_length=2000)


class InvitationIn(Body):
    """Whom to invite."""

    name = TextField(max_length=200)


class DocumentOut(Resource):
    """A paper and what staff made of it."""

    id = own_id("doc")
    capability = PublicIdField("cpb", source="capability_id", allow_null=True)
    kind = serializers.CharField()
    number = serializers.CharField()
    uri = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    issued_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class VendorEventOut(Resource):
    """Something that happened to the vendor, and why."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    reason = serializers.CharField()
    facts = serializers.JSONField()
    created_at = serializers.DateTimeField()


class AppealOut(Resource):
    """An objection and its answer."""

    id = own_id("apl")
    text = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class InvitationOut(Resource):
    """An invitation and the vendor that followed it."""

    id = own_id("inv")
    name = serializers.CharField()
    vendor = PublicIdField("ven", source="vendor_id", allow_null=True)
    expires_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class InvitedOut(InvitationOut):
    """A new invitation; its token is shown this once."""

    token = serializers.CharField()


class OwnPapersView(views.Resource):
    """The caller's vendor: papers, record, objections, exit."""

    action_scopes = {
        "documents": "vendor:read",
        "hand_in": "vendor:write",
        "events": "vendor:read",
        "appeal": "vendor:write",
        "close": "vendor:write",
    }

    @extend_schema(responses=DocumentOut(many=True))
    def documents(self, request: Request) -> Response:
        """List papers, newest first."""
        return self.page(vendors.own(self.actor).documents.order_by("-id"), DocumentOut)

    @extend_schema(request=DocumentIn, responses={201: DocumentOut})
    def hand_in(self, request: Request) -> Response:
        """Hand a paper in for checking."""
        given = self.given(DocumentIn)
        given["capability_id"] = given.pop("capability", None)
        made = documents.hand_in(actor=self.actor, document=DocumentInput(**given))
        return self.answer(made, DocumentOut, 201)

    @extend_schema(responses=VendorEventOut(many=True))
    def events(self, request: Request) -> Response:
        """List what happened to the vendor, newest first, with reasons."""
        return self.page(vendors.own(self.actor).events.order_by("-id"), VendorEventOut)

    @extend_schema(request=AppealIn, responses={201: AppealOut})
    def appeal(self, request: Request) -> Response:
        """Object to the newest suspension or rejection."""
        return self.answer(appeals.file(actor=self.actor, **self.given(AppealIn)), AppealOut, 201)

    @extend_schema(request=CloseIn, responses=OwnVendorOut)
    def close(self, request: Request) -> Response:
        """Leave the market for good."""
        return Response(own_vendor(vendor_exits.close(actor=self.actor, **self.given(CloseIn))))


class PaperDecisionsView(views.Resource):
    """What staff decide on papers and objections."""

    action_scopes = {"document": "vendors:review", "appeal": "vendors:review"}

    @extend_schema(request=PaperDecisionIn, responses=DocumentOut)
    def document(self, request: Request, public_id: str) -> Response:
        """Accept or refuse a paper."""
        document_id = views.id_in_path("doc", public_id)
        decided = documents.decide(actor=self.actor, document_id=document_id, **self.given(PaperDecisionIn))
        return self.answer(decided, DocumentOut)

    @extend_schema(request=PaperDecisionIn, responses=AppealOut)
    def appeal(self, request: Request, public_id: str) -> Response:
        """Grant or deny an objection."""
        given = self.given(PaperDecisionIn)
        decided = appeals.decide(
            actor=self.actor,
            appeal_id=views.id_in_path("apl", public_id),
            is_granted=given["is_accepted"],
            reason=given["reason"],
        )
        return self.answer(decided, AppealOut)


class PrivateVendorsView(views.Resource):
    """A customer's own vendors, which nobody else sees."""

    action_scopes = dict.fromkeys(("list", "create", "withdraw"), "vendors:invite")

    @extend_schema(responses=InvitationOut(many=True))
    def list(self, request: Request) -> Response:
        """List invitations, newest first, with the vendors that followed them."""
        return self.page(invitations.of(self.actor), InvitationOut)

    @extend_schema(request=InvitationIn, responses={201: InvitedOut})
    def create(self, request: Request) -> Response:
        """Invite an in-house team or a contractor; give it the token to register with."""
        invited = invitations.invite(actor=self.actor, **self.given(InvitationIn))
        shown = InvitationOut(invited.invitation).data | {"token": invited.token}
        return Response(shown, status=201)

    @extend_schema(request=EmptyBody, responses=InvitationOut)
    def withdraw(self, request: Request, public_id: str) -> Response:
        """Take an invitation back that nobody has used; its token opens nothing any more."""
        self.given(EmptyBody)
        invitation_id = views.id_in_path("inv", public_id)
        return self.answer(invitations.withdraw(actor=self.actor, invitation_id=invitation_id), InvitationOut)
