"""What vendors and customers are told, in words."""

from collections.abc import Mapping
from typing import Final

_WORDS: Final = {
    "offer.reminder": "Half of the time to answer the offer of {job} has passed; answer by {until}.",
    "work.not_started": (
        "You have not begun {job}. Begin or give it back by {until}: giving it back now does not count against you."
    ),
    "work.deadline_near": "Most of the time for {job} has passed; deliver by {until}, what is missing then goes on.",
    "batch.back": "{job}, which you were late for, is back on offer; you are {place} in the new ranking.",
    "document.expires": "Your {document} expires on {until}; hand in the renewed one before that.",
    "document.verified": "Your {document} is verified. {why}",
    "document.rejected": "Your {document} was not accepted: {why}",
    "vendor.rule": "A rule of the market acted: {action}. {why} You may object.",
    "vendor.state": "Your standing is now: {state}. {why}",
    "adjudication.handed": (
        "You are asked to label a record of {job} anew, about which others disagree: you see neither who nor what is "
        "disputed."
    ),
    "instructions.changed": "The instructions of {job} have changed: version {version} is in force. Read it anew.",
    "pay.taken_back": "The pay for {n} labels of {job} is taken back: {why}",
    "pay.given_back": "The pay for {n} labels of {job} that was taken back is yours again: {why}",
    "review.refused": "The customer refused {n} labels of {job}: {why}",
    "proposal.to_veto": "Round {round} of {job} is proposed, {n} records: those not vetoed by {until} are ordered.",
    "proposal.to_approve": "Round {round} of {job} is proposed, {n} records: nothing is ordered until you approve.",
    "proposal.closes": "The time to veto in round {round} of {job} is nearly over: the rest is ordered at {until}.",
    "proposal.waits": "Round {round} of {job} still waits for your approval; nothing is ordered until then.",
}


def kinds() -> tuple[str, ...]:
    """Return every kind of notice there is."""
    return tuple(_WORDS)


def words_of(kind: str, facts: Mapping[str, object]) -> str:
    """Return what a notice says.

    Raises
    ------
    ValueError
        When the kind is unknown.

    Examples
    --------
    >>> words_of("batch.back", {"job": "Animals", "place": 0})
    'Animals, which you were late for, is back on offer; you are number 1 in the new ranking.'
    """
    if kind not in _WORDS:
        raise ValueError(f"a notice is one of {', '.join(_WORDS)}, got {kind!r}")
    place = facts.get("place")
    shown = dict(facts) | {
        "place": f"number {place + 1}" if isinstance(place, int) else "not eligible",
        "until": str(facts.get("until", ""))[:16].replace("T", " ") + " UTC",
    }
    return _WORDS[kind].format(**shown)
