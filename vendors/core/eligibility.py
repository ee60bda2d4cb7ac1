"""What a vendor still owes before it may work, and whether it may be offered a given batch."""

import datetime
from dataclasses import dataclass

from vendors.core.states import MAY_RECEIVE_OFFERS


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing a vendor has to do: machine-readable code, words, and the way out."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts that decide what a vendor still owes."""

    has_capability: bool
    has_price_for_each_capability: bool
    has_signed_agreement: bool
    has_active_capability: bool


def requirements_of(standing: Standing) -> tuple[Requirement, ...]:
    """Return what is currently due, in the order in which it can be done.

    >>> [r.code for r in requirements_of(Standing(True, True, False, False))]
    ['agreement.signature', 'qualification.passed']
    """
    due = []
    if not standing.has_capability:
        due.append(Requirement("capability.declared", "Declare what you can label: POST /vendor/capabilities/."))
    if not standing.has_price_for_each_capability:
        due.append(Requirement("price.listed", "List a price for each capability: POST /vendor/prices/."))
    if not standing.has_signed_agreement:
        due.append(Requirement("agreement.signature", "Sign the agreement: POST /vendor/agreement/."))
    if not standing.has_active_capability:
        due.append(Requirement("qualification.passed", "Pass the qualification of at least one capability."))
    return tuple(due)


@dataclass(frozen=True, slots=True)
class Availability:
    """The facts that decide whether a vendor may be offered work now."""

    state: str
    is_capability_active: bool
    has_signed_agreement: bool
    is_accepting: bool
    paused_until: datetime.datetime | None
    private_to_other: bool


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
    if not availability.is_accepting:
        return "The vendor has switched itself to unavailable."
    if availability.paused_until is not None and availability.paused_until > now:
        return f"The vendor is paused until {availability.paused_until:%Y-%m-%d %H:%M} UTC."
    return None
