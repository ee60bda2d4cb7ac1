"""Who sends a request: the bearer of an API key."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from common.actors import Actor
from common.errors import NotAuthenticatedError
from common.services import api_keys

CHALLENGE = 'Bearer realm="labelyard"'


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer ly_live_...``; ``request.auth`` is then the `Actor`."""

    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        """Return the actor, or None when no credentials are given at all."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticatedError
        return None, api_keys.authenticate(token)

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header of a 401."""
        return CHALLENGE
