"""Whether a vendor may be offered work now, and why not."""

import datetime
from dataclasses import dataclass

from vendors.core.states import MAY_RECEIVE_OFFERS


@dataclass(frozen=True, slots=True)
class Availability:
    """The facts that decide whether a vendor may be offered work now."""

    state: str
    is_capability_active: bool
    has_signed_agreement: bool
    is_accepting: bool
    paused_until: datetime.datetime | None
    private_to_other: bool
    qualified_until: datetime.datetime | None = None
    evidence_until: datetime.datetime | None = None


def exclusion_of(availability: Availability, now: datetime.datetime) -> str | None:
    """Return why a vendor may not be offered work now, or None when it may.

    >>> exclusion_of(Availability("qualifying", True, True, True, None, False), datetime.datetime.now(datetime.UTC))
    'The vendor is qualifying, not yet admitted to the market.'
    """
    if availability.private_to_other:
        return "The vendor works for another customer only."
    if availability.state not in MAY_RECEIVE_OFFERS:
        return f"The vendor is {availability.state}, not yet admitted to the market."
    if not availability.has_signed_agreement:
        return "The vendor has no signed agreement."
    if not availability.is_capability_active:
        return "The vendor has not passed the qualification of this capability."
    if availability.qualified_until is not None and availability.qualified_until <= now:
        return f"The vendor's qualification ran out on {availability.qualified_until:%Y-%m-%d}."
    if availability.evidence_until is not None and availability.evidence_until <= now:
        return "The vendor lacks a valid paper for this kind of work."
    if not availability.is_accepting:
        return "The vendor has switched itself to unavailable."
    if availability.paused_until is not None and availability.paused_until > now:
        return f"The vendor is paused until {availability.paused_until:%Y-%m-%d %H:%M} UTC."
    return None
