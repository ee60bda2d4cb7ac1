"""A vendor leaves the market, for a while or for good: its live offers go on to the next candidates at once."""

import datetime
import uuid
from typing import Final

from django.db import transaction

from common.actors import Actor
from common.errors import ConflictError
from marketplace.core.states import AssignmentState
from marketplace.models import Assignment
from marketplace.services import nudges, withdrawals
from vendors.core import states
from vendors.models import Vendor
from vendors.selectors import vendors
from vendors.services import onboarding

_OPEN: Final = (AssignmentState.RESERVED, AssignmentState.STARTED, AssignmentState.REWORK)


def review(
    *, actor: Actor, vendor_id: uuid.UUID, decision: str, reason: str, until: datetime.datetime | None = None
) -> Vendor:
    """Decide on a vendor as staff; where it may receive offers no more, those it has are withdrawn.

    Between the decision and the withdrawal an accept is refused by the vendor's state. Work in hand may be finished.
    """
    vendor = onboarding.review(actor=actor, vendor_id=vendor_id, decision=decision, reason=reason, until=until)
    if vendor.state not in states.MAY_RECEIVE_OFFERS:
        _withdraw(vendor, f"vendor_{vendor.state}")
    return vendor


def close(*, actor: Actor, reason: str) -> Vendor:
    """Leave the market for good as the vendor itself; asked again, the closed vendor is returned.

    Raises
    ------
    ConflictError
        While work is in hand: deliver or release it first.
    """
    actor.require("vendor:write")
    with transaction.atomic(durable=True):
        vendor = Vendor.objects.select_for_update().get(pk=vendors.own(actor).pk)
        n_open = Assignment.objects.filter(vendor=vendor, state__in=_OPEN).count()
        if n_open:
            raise ConflictError(f"You have {n_open} batches in hand; deliver or release them first.", n_open=n_open)
        onboarding.move(vendor, states.CLOSED, actor, reason)
    _withdraw(vendor, "vendor_closed")
    return vendor


def _withdraw(vendor: Vendor, reason: str) -> None:
    with transaction.atomic():
        withdrawals.of_vendor(vendor.pk, reason)
    nudges.sweep_soon()
