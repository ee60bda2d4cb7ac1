"""State machines of the market: which state may follow which."""

from enum import StrEnum
from typing import Final


class BatchState(StrEnum):
    """Life of a batch, from ranking to vetted labels."""

    DRAFT = "draft"
    OFFERING = "offering"
    WAITING = "waiting"
    ESCALATED = "escalated"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    DELIVERED = "delivered"
    REWORK = "rework"
    DONE = "done"
    CANCELLED = "cancelled"


BATCH: Final[dict[BatchState, frozenset[BatchState]]] = {
    BatchState.DRAFT: frozenset({BatchState.OFFERING, BatchState.WAITING, BatchState.ESCALATED, BatchState.CANCELLED}),
    BatchState.OFFERING: frozenset(
        {BatchState.ASSIGNED, BatchState.WAITING, BatchState.ESCALATED, BatchState.CANCELLED}
    ),
    BatchState.WAITING: frozenset({BatchState.OFFERING, BatchState.ESCALATED, BatchState.CANCELLED}),
    BatchState.ESCALATED: frozenset({BatchState.WAITING, BatchState.CANCELLED}),
    BatchState.ASSIGNED: frozenset({BatchState.IN_PROGRESS, BatchState.OFFERING, BatchState.CANCELLED}),
    BatchState.IN_PROGRESS: frozenset({BatchState.DELIVERED, BatchState.OFFERING, BatchState.CANCELLED}),
    BatchState.DELIVERED: frozenset({BatchState.DONE, BatchState.REWORK, BatchState.OFFERING, BatchState.ESCALATED}),
    BatchState.REWORK: frozenset({BatchState.DELIVERED, BatchState.OFFERING}),
    BatchState.DONE: frozenset(),
    BatchState.CANCELLED: frozenset(),
}


class OfferState(StrEnum):
    """Life of an offer; all but live are final."""

    LIVE = "live"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


LOST_WAVE: Final = "lost_wave"
"""Reason of an offer withdrawn because another vendor of its wave was faster."""


class AssignmentState(StrEnum):
    """Life of accepted work."""

    RESERVED = "reserved"
    STARTED = "started"
    SUBMITTED = "submitted"
    REWORK = "rework"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_ASSIGNMENTS: Final = frozenset({AssignmentState.RESERVED, AssignmentState.STARTED, AssignmentState.REWORK})
"""States in which an assignment takes one of its vendor's slots."""

ASSIGNMENT: Final[dict[AssignmentState, frozenset[AssignmentState]]] = {
    AssignmentState.RESERVED: frozenset({AssignmentState.STARTED, AssignmentState.FAILED, AssignmentState.CANCELLED}),
    AssignmentState.STARTED: frozenset({AssignmentState.SUBMITTED, AssignmentState.FAILED, AssignmentState.CANCELLED}),
    AssignmentState.SUBMITTED: frozenset({AssignmentState.REWORK, AssignmentState.ACCEPTED, AssignmentState.REJECTED}),
    AssignmentState.REWORK: frozenset({AssignmentState.SUBMITTED, AssignmentState.ACCEPTED, AssignmentState.CANCELLED}),
    AssignmentState.ACCEPTED: frozenset(),
    AssignmentState.REJECTED: frozenset(),
    AssignmentState.FAILED: frozenset({AssignmentState.ACCEPTED, AssignmentState.REJECTED}),
    AssignmentState.CANCELLED: frozenset(),
}


class RecordState(StrEnum):
    """What is known of a record's label."""

    OPEN = "open"
    LABELED = "labeled"
    UNLABELABLE = "unlabelable"
    UNRESOLVED = "unresolved"


class LotState(StrEnum):
    """Whether a lot's records are all decided."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ReviewState(StrEnum):
    """The customer's review of a vetted batch; all but open are final, and money moves then."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    AUTO = "auto"


class AnnotationState(StrEnum):
    """Whether an annotation has passed vetting; only an accepted one is paid."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class JobState(StrEnum):
    """Whether a job takes offers."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class CampaignState(StrEnum):
    """Whether a campaign goes on."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"


class CampaignPhase(StrEnum):
    """The step of the closed loop that comes next."""

    SELECT = "select"
    REVIEW = "review"
    LABEL = "label"
    TRAIN = "train"


class CampaignMode(StrEnum):
    """Who has the last word on a round's records: nobody, the customer until a deadline, the customer alone."""

    AUTO = "auto"
    VETO = "veto"
    APPROVE = "approve"


class Outcome(StrEnum):
    """Verdict on delivered work."""

    ACCEPTED = "accepted"
    REWORK = "rework"
    REJECTED = "rejected"


def choices_of(states: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the states as a model field's choices.

    >>> choices_of(CampaignPhase)[0]
    ('select', 'select')
    """
    return [(state.value, state.value) for state in states]


def batch_sources(target: BatchState) -> list[str]:
    """Return the states from which a batch may enter a target state, sorted.

    >>> batch_sources(BatchState.ASSIGNED)
    ['offering']
    """
    return sorted(state.value for state, targets in BATCH.items() if target in targets)


def assignment_sources(target: AssignmentState) -> list[str]:
    """Return the states from which an assignment may enter a target state, sorted.

    >>> assignment_sources(AssignmentState.STARTED)
    ['reserved']
    """
    return sorted(state.value for state, targets in ASSIGNMENT.items() if target in targets)
