"""A customer's own vendors: invited by a token, bound to that customer, seen by nobody else."""

import datetime
import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from common import audit
from common.actors import CUSTOMER, Actor
from common.clock import database_now
from common.errors import PermissionDeniedError, ValidationFailedError
from vendors.models import Vendor, VendorInvitation

LIFE: Final = datetime.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and its token, which is shown once and stored nowhere."""

    invitation: VendorInvitation
    token: str


def invite(*, actor: Actor, name: str) -> Invited:
    """Make an invitation for an in-house team or a contractor; good once, for 14 days."""
    actor.require("vendors:invite")
    if actor.organization_kind != CUSTOMER or actor.organization_id is None:
        raise PermissionDeniedError("Only a customer has vendors of its own.")
    token = secrets.token_urlsafe(32)
    with transaction.atomic(durable=True):
        invitation = VendorInvitation.objects.create(
            organization_id=actor.organization_id,
            name=name,
            token_sha256=_digest(token),
            expires_at=database_now() + LIFE,
        )
        audit.record(actor=actor, action="vendor.invited", target=invitation, name=name)
    return Invited(invitation, token)


def of(actor: Actor) -> QuerySet[VendorInvitation]:
    """Return the invitations of the actor's organization, newest first."""
    if actor.organization_id is None:
        return VendorInvitation.objects.none()
    return VendorInvitation.objects.filter(organization_id=actor.organization_id).order_by("-id")


def use(token: str, vendor: Vendor) -> None:
    """Bind a vendor being registered to the customer that invited it, in the caller's transaction.

    Raises
    ------
    ValidationFailedError
        When the token is unknown, used up or too old.
    """
    invitation = VendorInvitation.objects.select_for_update().filter(token_sha256=_digest(token), vendor=None).first()
    if invitation is None or invitation.expires_at <= database_now():
        detail = "This invitation is unknown, used or older than 14 days; ask the customer for a new one."
        raise ValidationFailedError.of("invitation", "unknown", detail)
    Vendor.objects.filter(pk=vendor.pk).update(private_to_id=invitation.organization_id)
    VendorInvitation.objects.filter(pk=invitation.pk).update(vendor=vendor)
    vendor.refresh_from_db()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
