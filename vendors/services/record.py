"""The record of what happened to a vendor: one append-only row per decision."""

import uuid
from typing import Any

from common import outbox
from common.actors import Actor
from vendors.models import Vendor, VendorEvent


def add(vendor: Vendor, kind: str, actor: Actor, reason: str = "", **facts: Any) -> VendorEvent:
    """Append what happened, in the transaction in which it happens."""
    return VendorEvent.objects.create(
        vendor=vendor, kind=kind, actor_organization_id=actor.organization_id, reason=reason, facts=facts
    )


def tell(vendor: Vendor, kind: str, subject: uuid.UUID, **facts: object) -> None:
    """Put a line for the vendor's inbox into the caller's transaction."""
    about = [{"subject": str(subject), "facts": facts}]
    outbox.put("vendor.notice", {"vendor": str(vendor.pk), "kind": kind, "about": about})
