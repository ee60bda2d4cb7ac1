"""The record of what happened to a vendor: one append-only row per decision."""

from typing import Any

from common.actors import Actor
from vendors.models import Vendor, VendorEvent


def add(vendor: Vendor, kind: str, actor: Actor, reason: str = "", **facts: Any) -> VendorEvent:
    """Append what happened, in the transaction in which it happens."""
    return VendorEvent.objects.create(
        vendor=vendor, kind=kind, actor_organization_id=actor.organization_id, reason=reason, facts=facts
    )
