"""What the console and the report show, folded from the feeds of events: no state of its own, no requests."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Event = Mapping[str, Any]
FATES: Final = ("accepted", "declined", "expired", "withdrawn")
_KEPT_LINES: Final = 200


@dataclass(slots=True)
class VendorTally:
    """One vendor's dealings, counted."""

    offers: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    n_failed: int = 0
    n_paid: int = 0
    paid_micro: int = 0


@dataclass(slots=True)
class JobTally:
    """One job's dealings, counted."""

    fates: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    n_ordered: int = 0
    n_labeled: int = 0
    n_unlabelable: int = 0
    n_unresolved: int = 0
    n_extra_batches: int = 0
    n_reoffered: int = 0
    n_escalated: int = 0
    paid_micro: int = 0
    round: int = 0
    accuracies: list[float] = field(default_factory=list)
    state: str = "running"
    lots_closed: int = 0

    @property
    def n_fallbacks(self) -> int:
        """Times a batch had to go to another vendor: no answer, a refusal, or work given up."""
        return self.fates["expired"] + self.fates["declined"] + self.n_reoffered


class View:
    """The state of the market as this customer's feeds tell it; vendors go by their names."""

    def __init__(self) -> None:
        self.vendors: dict[str, VendorTally] = {}
        self.jobs: dict[str, JobTally] = {}
        self.lines: deque[tuple[str, str]] = deque(maxlen=_KEPT_LINES)

    def add(self, job: str, events: Iterable[Event]) -> list[tuple[str, str]]:
        """Fold new events of a job, oldest first; return those worth telling, as (job, sentence)."""
        tally = self.jobs.setdefault(job, JobTally())
        fresh = []
        for event in events:
            self._fold(tally, event)
            words = sentence(event)
            if words:
                fresh.append((job, words))
        self.lines.extend(fresh)
        return fresh

    def _fold(self, tally: JobTally, event: Event) -> None:
        area, _, what = event["kind"].partition(".")
        facts, name = event["facts"], event["vendor_name"]
        vendor = self.vendors.setdefault(name, VendorTally()) if name else VendorTally()
        match area, what:
            case "offer", fate if fate in FATES:
                tally.fates[fate] += 1
                vendor.offers[fate] += 1
            case "verdict", outcome:
                tally.verdicts[outcome] += 1
                vendor.verdicts[outcome] += 1
            case "assignment", "failed":
                tally.n_reoffered += 1
                vendor.n_failed += 1
            case "assignment", "settled":
                _settle(tally, vendor, facts)
            case _:
                _fold_progress(tally, event["kind"], facts)


def sentence(event: Event) -> str:
    """Return an event in words; empty when it is of no interest to a reader."""
    template = _SENTENCES.get(event["kind"], "")
    return template.format_map(_Facts(event["facts"], vendor=event["vendor_name"]))


def _settle(tally: JobTally, vendor: VendorTally, facts: Mapping[str, Any]) -> None:
    vendor.n_paid += facts["n_paid"]
    vendor.paid_micro += facts["vendor_micro"]
    tally.paid_micro += facts["vendor_micro"] + facts["fee_micro"]


def _fold_progress(tally: JobTally, kind: str, facts: Mapping[str, Any]) -> None:
    match kind:
        case "round.ordered":
            tally.round, tally.n_ordered = facts["round"], tally.n_ordered + facts["n_records"]
        case "lot.closed":
            tally.lots_closed += 1
            tally.n_labeled += facts["labeled"]
            tally.n_unlabelable += facts["unlabelable"]
            tally.n_unresolved += facts["unresolved"]
        case "round.evaluated":
            tally.accuracies.append(facts["accuracy"])
        case "overlap.added":
            tally.n_extra_batches += 1
        case "batch.escalated":
            tally.n_escalated += 1
        case "campaign.finished" | "campaign.paused" | "campaign.stopped" | "campaign.running":
            tally.state = kind.partition(".")[2]


class _Facts(dict[str, Any]):
    """Facts for a sentence; one that is missing shows as a dash, never as an error in a running console."""

    def __missing__(self, key: str) -> str:
        return "–"


_SENTENCES: Final = {
    "round.ordered": "round {round}: {n_records} records chosen and ordered",
    "offer.accepted": "{vendor} accepted a batch",
    "offer.declined": "{vendor} declined ({reason}): on to the next candidate",
    "offer.expired": "{vendor} did not answer in time: on to the next candidate",
    "assignment.failed": "{vendor} gave up ({reason}): {n_done} labels kept, {n_left} offered again",
    "batch.delivered": "{vendor} delivered",
    "overlap.added": "{n_records} records are unsure: one more opinion asked",
    "verdict.accepted": "{vendor}: work accepted",
    "verdict.rework": "{vendor}: work sent back. {words}",
    "verdict.rejected": "{vendor}: work rejected. {words}",
    "batch.escalated": "no candidate left for a batch: the customer is asked",
    "escalation.resolved": "the customer decided: {choice}",
    "lot.closed": "lot {number} closed: {labeled} labeled, {unlabelable} cannot be labeled, {unresolved} unresolved",
    "round.evaluated": "round {round} evaluated: accuracy {accuracy:.3}",
    "campaign.finished": "finished. {reason}",
    "campaign.paused": "paused. {reason}",
}
