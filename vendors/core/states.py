"""Which vendor state may follow which."""

from typing import Final

DRAFT: Final = "draft"
SUBMITTED: Final = "submitted"
IN_REVIEW: Final = "in_review"
CHANGES_REQUESTED: Final = "changes_requested"
QUALIFYING: Final = "qualifying"
PROBATION: Final = "probation"
ACTIVE: Final = "active"
SUSPENDED: Final = "suspended"
REJECTED: Final = "rejected"
CLOSED: Final = "closed"

TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    DRAFT: frozenset({SUBMITTED, CLOSED}),
    SUBMITTED: frozenset({IN_REVIEW, QUALIFYING, CHANGES_REQUESTED, REJECTED, CLOSED}),
    IN_REVIEW: frozenset({QUALIFYING, CHANGES_REQUESTED, REJECTED, CLOSED}),
    CHANGES_REQUESTED: frozenset({SUBMITTED, CLOSED}),
    QUALIFYING: frozenset({PROBATION, REJECTED, CLOSED}),
    PROBATION: frozenset({ACTIVE, SUSPENDED, CLOSED}),
    ACTIVE: frozenset({PROBATION, SUSPENDED, CLOSED}),
    SUSPENDED: frozenset({PROBATION, CLOSED}),
    REJECTED: frozenset({SUBMITTED}),
    CLOSED: frozenset(),
}
MAY_RECEIVE_OFFERS: Final = frozenset({PROBATION, ACTIVE})


def sources_of(target: str) -> frozenset[str]:
    """Return the states from which a target state may be entered.

    >>> sorted(sources_of("probation"))
    ['active', 'qualifying', 'suspended']
    """
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)
