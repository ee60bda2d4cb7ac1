"""A vendor leaves the market, for a while or for good: its live offers go on to the next candidates at once."""

import datetime
import uuid
from typing import Final

from django.db import connection, transaction

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
        vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendors.own(actor).pk)
        n_open = Assignment.objects.filter(vendor=vendor, state__in=_OPEN).count()
        if n_open:
            raise ConflictError(f"You have {n_open} batches in hand; deliver or release them first.", n_open=n_open)
        onboarding.move(vendor, states.CLOSED, actor, reason)
    _withdraw(vendor, "vendor_closed")
    return vendor


_LEFT_OVER: Final = """
SELECT o.vendor_id, o.id FROM vendors_vendor v
JOIN marketplace_offer o ON o.vendor_id = v.id AND o.state = 'live'
WHERE v.state IN ('suspended', 'rejected', 'closed')
UNION
SELECT o.vendor_id, o.id FROM vendors_capability k
JOIN marketplace_offer o ON o.vendor_id = k.vendor_id AND o.state = 'live' AND o.capability_id = k.id
WHERE k.status = 'active' AND least(k.qualified_until, k.evidence_until) <= statement_timestamp()
ORDER BY 1, 2 LIMIT 500
"""


def withdraw_left_over() -> int:
    """Take back live offers that may not be accepted any more: a paper ran out, or the offer crossed a suspension.

    Accepting them is refused anyway; taken back, they go on at once and never count as silence. Safe to repeat.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_OVER)
        offers = [row[1] for row in cursor.fetchall()]
    return sum(withdrawals.one(offer_id, "vendor_not_admitted") for offer_id in offers)


def _withdraw(vendor: Vendor, reason: str) -> None:
    with transaction.atomic():
        withdrawals.of_vendor(vendor.pk, reason)
    nudges.sweep_soon()
