"""Who a signed-in person acts for: the organization of the membership, with the scopes of the role."""

from typing import Final

from django.http import HttpRequest

from common.actors import PLATFORM, Actor
from common.models import Membership, User
from common.scopes import scopes_of

_NOT_FOR_MEMBERS: Final = frozenset({"organization:write", "api_keys:read", "api_keys:write"})


def actor_of(request: HttpRequest) -> Actor | None:
    """Return the actor of a signed-in request, or None when the person belongs to no organization (one query).

    Of several memberships the oldest counts. A person with ``is_staff`` and no membership acts for the platform.
    """
    user = request.user
    if not isinstance(user, User):
        return None
    membership = Membership.objects.filter(user=user).select_related("organization").order_by("pk").first()
    if membership is not None:
        kind = membership.organization.kind
        scopes = scopes_for(kind, membership.role)
        return Actor(membership.organization_id, kind, user_id=user.pk, role=membership.role, scopes=scopes)
    if user.is_staff:
        return Actor(None, PLATFORM, user_id=user.pk, role="staff", scopes=scopes_of(PLATFORM))
    return None


def scopes_for(kind: str, role: str) -> frozenset[str]:
    """Return what a role may do in an organization of a kind.

    Owners and admins may do everything, members all but run the organization, the others only look.

    >>> "jobs:write" in scopes_for("customer", "member"), "jobs:write" in scopes_for("customer", "viewer")
    (True, False)
    """
    scopes = scopes_of(kind)
    if role in {Membership.Role.OWNER, Membership.Role.ADMIN}:
        return scopes
    if role == Membership.Role.MEMBER:
        return scopes - _NOT_FOR_MEMBERS
    return frozenset(scope for scope in scopes if scope.endswith(":read")) - _NOT_FOR_MEMBERS
