"""What a key may do: every action of every view names its scope in one table."""

from typing import TYPE_CHECKING, Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common.actors import Actor
from common.errors import NotAuthenticatedError, PermissionDeniedError

if TYPE_CHECKING:  # DRF imports this module while it imports its own views
    from rest_framework.views import APIView

OPEN: Final = "open"
"""The scope of actions that need no key."""


class Scoped(BasePermission):
    """Allow an action when the key holds the scope that the view's ``action_scopes`` names; deny unnamed ones."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return True or raise the error that tells what is missing."""
        action = getattr(view, "action", None)
        scope = getattr(view, "action_scopes", {}).get(action)
        if scope == OPEN:
            return True
        if not isinstance(request.auth, Actor):
            raise NotAuthenticatedError
        if action is None:
            return True  # a method the route does not have: the view answers 405
        if scope is None:
            raise PermissionDeniedError("This action has no scope yet, so nobody may use it.")
        request.auth.require(scope)
        return True
