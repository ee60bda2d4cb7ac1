"""Keys of programs."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api import views
from api.fields import InstantField, PublicIdField, TextField, texts
from api.serializers import Body, EmptyBody, Resource, own_id
from common.selectors import accounts
from common.services import api_keys


class ApiKeyIn(Body):
    """A key to make; without scopes it may do what the key that asks may do."""

    name = TextField(max_length=100)
    scopes = texts(max_length=40, required=False, allow_empty=False)
    expires_at = InstantField(required=False, allow_null=True)


class ApiKeyOut(Resource):
    """A key, without its secret."""

    id = own_id("key")
    name = serializers.CharField()
    public_part = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class IssuedKeyOut(Resource):
    """A key with the text to send as ``Authorization: Bearer``; it is shown this once."""

    id = PublicIdField("key", source="key.pk")
    name = serializers.CharField(source="key.name")
    scopes = serializers.ListField(child=serializers.CharField(), source="key.scopes")
    expires_at = serializers.DateTimeField(source="key.expires_at", allow_null=True)
    secret = serializers.CharField(source="token", allow_null=True)


class ApiKeysView(views.Resource):
    """The keys of the caller's organization."""

    action_scopes = {"list": "api_keys:read", "create": "api_keys:write", "revoke": "api_keys:write"}
    secret_fields = ("secret",)

    @extend_schema(responses=ApiKeyOut(many=True))
    def list(self, request: Request) -> Response:
        """List the keys, newest first."""
        return self.page(accounts.api_keys(self.actor), ApiKeyOut)

    @extend_schema(request=ApiKeyIn, responses={201: IssuedKeyOut})
    def create(self, request: Request) -> Response:
        """Make a key with all or some of the caller's own scopes."""
        return self.answer(api_keys.create(actor=self.actor, **self.given(ApiKeyIn)), IssuedKeyOut, 201)

    @extend_schema(request=EmptyBody, responses=ApiKeyOut)
    def revoke(self, request: Request, public_id: str) -> Response:
        """Revoke a key from the next request on."""
        self.given(EmptyBody)
        return self.answer(api_keys.revoke(actor=self.actor, key_id=views.id_in_path("key", public_id)), ApiKeyOut)
