"""Sign-up, and the caller's own organization."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import TextField, choice
from api.permissions import OPEN
from api.serializers import Body, Resource, own_id
from api.v1.api_keys import IssuedKeyOut
from common.selectors import accounts as selectors
from common.services import accounts


class SignUpIn(Body):
    """Who signs up."""

    name = TextField()
    kind = choice(*accounts.OPEN_KINDS)
    email = serializers.EmailField(max_length=254)
    password = TextField(required=False, allow_null=True, max_length=200, min_length=12)
    region = TextField(required=False, allow_blank=True, max_length=16)


class OrganizationIn(Body):
    """What may be changed of an organization."""

    name = TextField(required=False)
    region = TextField(required=False, allow_blank=True, max_length=16)


class OrganizationOut(Resource):
    """An organization."""

    id = own_id("org")
    name = serializers.CharField()
    kind = serializers.CharField()
    region = serializers.CharField()
    created_at = serializers.DateTimeField()


class SignUpOut(Resource):
    """A new organization and its first key."""

    organization = OrganizationOut()
    api_key = IssuedKeyOut(source="issued")


class SignUpView(views.Resource):
    """Open to everyone."""

    authentication_classes = ()
    action_scopes = {"create": OPEN}

    @extend_schema(request=SignUpIn, responses={201: SignUpOut})
    def create(self, request: Request) -> Response:
        """Sign up a customer or a vendor; the key in the answer is shown this once."""
        return self.answer(accounts.sign_up(**self.given(SignUpIn)), SignUpOut, 201)


class OrganizationView(views.Resource):
    """The caller's organization."""

    action_scopes = {"retrieve": "organization:read", "partial_update": "organization:write"}

    @extend_schema(responses=OrganizationOut)
    def retrieve(self, request: Request) -> Response:
        """Return the organization the key belongs to."""
        return self.answer(selectors.organization(self.actor), OrganizationOut)

    @extend_schema(request=OrganizationIn, responses=OrganizationOut)
    def partial_update(self, request: Request) -> Response:
        """Change its name or region."""
        changed = accounts.update_organization(actor=self.actor, **self.given(OrganizationIn))
        return self.answer(changed, OrganizationOut)
