"""What comes next for a batch, an offer, or a piece of work, and who sees to it: every state has an owner.

While something is open, a timer or a person is named; at an end, what ended it and how it can be mended.
"""

from dataclasses import dataclass
from typing import Final

from marketplace.core.states import AssignmentState, BatchState, OfferState

OWNERS: Final = ("timer", "vendor", "customer", "staff", "nobody")


@dataclass(frozen=True, slots=True)
class Fate:
    """Who acts next (one of `OWNERS`), in words, and the call that does it or mends it ("" when there is none)."""

    by: str
    words: str
    action: str = ""


_BATCH: Final = {
    BatchState.DRAFT: Fate("timer", "It is being ranked."),
    BatchState.OFFERING: Fate("timer", "A vendor is asked, or the next one as soon as it is free."),
    BatchState.WAITING: Fate("timer", "All candidates have been asked; a new round begins after the pause."),
    BatchState.ESCALATED: Fate("customer", "Nobody took it: choose what shall happen.", "POST /batches/{id}/resolve/"),
    BatchState.ASSIGNED: Fate("vendor", "A vendor has it and has to begin; a timer passes it on otherwise."),
    BatchState.IN_PROGRESS: Fate("vendor", "A vendor is at work; at the deadline what is missing is passed on."),
    BatchState.DELIVERED: Fate("timer", "It is vetted as soon as all its layers are in."),
    BatchState.REWORK: Fate("vendor", "A vendor looks again at contested records; a timer ends that."),
    BatchState.DONE: Fate("nobody", "Vetted.", "GET /jobs/{job}/labels/"),
    BatchState.CANCELLED: Fate("nobody", "Cancelled.", "POST /jobs/{job}/lots/"),
}
_OFFER: Final = {
    OfferState.LIVE: Fate("vendor", "Accept or decline before the time is up.", "POST /offers/{id}/accept/"),
    OfferState.ACCEPTED: Fate("nobody", "Accepted: the work is open.", "GET /assignments/"),
    OfferState.DECLINED: Fate("nobody", "Declined; the next candidate was asked."),
    OfferState.EXPIRED: Fate("nobody", "Not answered in time.", "POST /offers/{id}/interest/"),
    OfferState.WITHDRAWN: Fate("nobody", "Taken back; it does not count against the vendor."),
}
_ASSIGNMENT: Final = {
    AssignmentState.RESERVED: Fate(
        "vendor", "Begin, or give it back without blame.", "PUT /assignments/{id}/annotations/"
    ),
    AssignmentState.STARTED: Fate("vendor", "Deliver before the deadline.", "PUT /assignments/{id}/annotations/"),
    AssignmentState.SUBMITTED: Fate("timer", "Delivered; it is vetted as soon as all layers are in."),
    AssignmentState.REWORK: Fate("vendor", "Answer the contested records again.", "PUT /assignments/{id}/annotations/"),
    AssignmentState.ACCEPTED: Fate("nobody", "Passed vetting; what is right is paid."),
    AssignmentState.REJECTED: Fate("staff", "Failed vetting and is not paid; staff hears an appeal."),
    AssignmentState.FAILED: Fate("nobody", "Ended before it was complete; what was delivered is vetted and paid."),
    AssignmentState.CANCELLED: Fate("nobody", "Ended by the customer; what was delivered is vetted and paid."),
}
_ALL: Final[dict[str, dict[str, Fate]]] = {
    "batch": {state.value: fate for state, fate in _BATCH.items()},
    "offer": {state.value: fate for state, fate in _OFFER.items()},
    "assignment": {state.value: fate for state, fate in _ASSIGNMENT.items()},
}
_REASONS: Final[dict[tuple[str, str], Fate]] = {
    ("batch", "no_candidate"): Fate(
        "customer", "No vendor meets the job's limits: pay more, ask less, or wait.", "POST /batches/{id}/resolve/"
    ),
    ("batch", "candidates_exhausted"): Fate(
        "customer", "Every candidate was asked in every round: choose.", "POST /batches/{id}/resolve/"
    ),
    ("batch", "relabel_limit"): Fate(
        "customer",
        "Its work was refused again and again: look at the instructions and the gold, then choose.",
        "POST /batches/{id}/resolve/",
    ),
    ("batch", "candidates_busy"): Fate("timer", "All candidates are busy or closed; the first to be free is asked."),
    ("offer", "lost_wave"): Fate("nobody", "Another vendor was faster.", "POST /offers/{id}/interest/"),
    ("offer", "budget_exhausted"): Fate("customer", "The job's budget no longer covers the batch.", "POST /jobs/"),
    ("assignment", "not_started"): Fate("nobody", "Not begun in time; switch offers off when you are full.",
                                        "PATCH /vendor/availability/"),
    ("assignment", "past_due"): Fate("nobody", "Not delivered in time; what was delivered is kept.",
                                     "POST /offers/{id}/accept/"),
}  # fmt: skip


def fate(kind: str, state: str, reason: str = "") -> Fate:
    """Return what comes next for a ``batch``, ``offer`` or ``assignment``, by its reason where that says more.

    Examples
    --------
    >>> fate("offer", "withdrawn", "lost_wave").words
    'Another vendor was faster.'
    >>> fate("batch", "waiting").by
    'timer'

    Raises
    ------
    ValueError
        When there is no such kind or state.
    """
    if state not in _ALL.get(kind, {}):
        raise ValueError(f"there is no state {state!r} of {kind!r}")
    general = _ALL[kind][state]
    special = _REASONS.get((kind, reason))
    return special or general
