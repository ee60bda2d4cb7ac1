"""A customer's own vendors: invited by a token, bound to that customer, seen by nobody else."""

import datetime
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from common import audit
from common.actors import CUSTOMER, Actor
from common.clock import database_now
from common.errors import ConflictError, NotFoundError, PermissionDeniedError, ValidationFailedError
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
    mine = VendorInvitation.objects.filter(organization_id=actor.organization_id)
    return mine.select_related("vendor").order_by("-id")


def withdraw(*, actor: Actor, invitation_id: uuid.UUID) -> VendorInvitation:
    """Take an invitation back, so that its token opens nothing; asked again, it is returned as it is. Locks it.

    Raises
    ------
    NotFoundError
        When it is not the actor's.
    ConflictError
        When a vendor has used it: that vendor stays the customer's own.
    """
    actor.require("vendors:invite")
    with transaction.atomic(durable=True):
        row = of(actor).select_for_update(of=("self",), no_key=True).filter(pk=invitation_id).first()
        if row is None:
            raise NotFoundError("There is no such invitation.")
        if row.vendor is not None:
            raise ConflictError(f"{row.vendor.name} has used this invitation; shut it out of a job with Never ask.")
        if row.withdrawn_at is None:
            row.withdrawn_at = database_now()
            row.save(update_fields=["withdrawn_at"])
            audit.record(actor=actor, action="vendor.uninvited", target=row, name=row.name)
        return row


def use(token: str, vendor: Vendor) -> None:
    """Bind a vendor being registered to the customer that invited it, in the caller's transaction.

    Raises
    ------
    ValidationFailedError
        When the token is unknown, used up, withdrawn or too old.
    """
    unused = VendorInvitation.objects.filter(vendor=None, withdrawn_at=None)
    invitation = unused.select_for_update(no_key=True).filter(token_sha256=_digest(token)).first()
    if invitation is None or invitation.expires_at <= database_now():
        detail = "This invitation is unknown, used, withdrawn or older than 14 days; ask the customer for a new one."
        raise ValidationFailedError.of("invitation", "unknown", detail)
    Vendor.objects.filter(pk=vendor.pk).update(private_to_id=invitation.organization_id)
    VendorInvitation.objects.filter(pk=invitation.pk).update(vendor=vendor)
    vendor.refresh_from_db()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
