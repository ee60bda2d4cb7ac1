"""Which version of an agreement counts."""

import uuid
from collections.abc import Iterable

from common.clock import Now
from vendors.models import VendorAgreement


def in_force(vendor_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, VendorAgreement]:
    """Return each vendor's newest version that has begun (one query)."""
    rows = (
        VendorAgreement.objects.filter(vendor_id__in=set(vendor_ids), valid_from__lte=Now())
        .order_by("vendor_id", "-version")
        .distinct("vendor_id")
    )
    return {row.vendor_id: row for row in rows}


def newest(vendor_id: uuid.UUID) -> VendorAgreement | None:
    """Return the version signed last, whether it has begun or not."""
    return VendorAgreement.objects.filter(vendor_id=vendor_id).order_by("-version").first()
