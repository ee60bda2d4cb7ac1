"""What became of an offer, in words for the customer: who has the batch, or why it moved on to the next vendor."""

from typing import Final

from marketplace.core.states import LOST_WAVE, AssignmentState, OfferState

_DECLINED: Final = {
    "no_capacity": "it has no capacity now",
    "price_too_low": "the price is too low",
    "too_short": "the time is too short",
    "out_of_skill": "it is not its kind of work",
    "other": "for another reason",
}
_WITHDRAWN: Final = {
    LOST_WAVE: "another vendor that was asked with it was faster",
    "budget_exhausted": "the job's budget no longer covers the batch",
    "job_cancelled": "the job was cancelled",
    "batch_cancelled": "the batch was cancelled",
    "paused_by_rule": "a rule of yours paused the vendor",
    "vendor_not_admitted": "the vendor left the market or was suspended",
}
_WORK: Final = {
    AssignmentState.RESERVED: "Accepted; it has to begin before its time to start is up.",
    AssignmentState.STARTED: "Accepted, and at work.",
    AssignmentState.SUBMITTED: "Accepted and delivered; it is vetted as soon as all its layers are in.",
    AssignmentState.REWORK: "Accepted and delivered; it looks again at contested records.",
    AssignmentState.ACCEPTED: "Accepted and delivered; it passed vetting.",
    AssignmentState.REJECTED: "Accepted and delivered, but it failed vetting; the batch moved on.",
    AssignmentState.CANCELLED: "Accepted, then ended by you; what was delivered is kept.",
}
_FAILED: Final = {
    "not_started": "Accepted, but stalled: it did not begin in time, so the batch moved on.",
    "past_due": "Accepted, but not ready in time; what was delivered is kept and the rest moved on.",
}


def told(state: str, reason: str, work_state: str = "", work_reason: str = "") -> str:
    """Return what became of an offer.

    Parameters
    ----------
    state, reason
        Of the offer.
    work_state, work_reason
        Of the work it led to; empty where it led to none.

    Raises
    ------
    ValueError
        When there is no such state.

    Examples
    --------
    >>> told("declined", "price_too_low")
    'Declined: the price is too low. The batch moved on.'
    >>> told("accepted", "accepted", "failed", "not_started")
    'Accepted, but stalled: it did not begin in time, so the batch moved on.'
    """
    at = OfferState(state)
    if at == OfferState.LIVE:
        return "Asked; it may accept until its time is up."
    if at == OfferState.DECLINED:
        return f"Declined: {_DECLINED.get(reason, _plain(reason))}. The batch moved on."
    if at == OfferState.EXPIRED:
        return "Did not answer in time. The batch moved on."
    if at == OfferState.WITHDRAWN:
        return f"Taken back: {_WITHDRAWN.get(reason, _plain(reason))}. It does not count against the vendor."
    return _of_work(work_state, work_reason)


def _of_work(state: str, reason: str) -> str:
    if not state:
        return "Accepted."
    if state == AssignmentState.FAILED:
        given_back = f"Accepted, then given back ({_plain(reason)}); what was delivered is kept and the rest moved on."
        return _FAILED.get(reason, given_back)
    return _WORK[AssignmentState(state)]


def _plain(code: str) -> str:
    return code.replace("_", " ") or "no reason given"
