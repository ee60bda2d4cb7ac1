"""Where the time of a campaign went: the critical path of each round, as the market wrote it down."""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from common.clock import database_now
from curation.selectors import compute
from marketplace.core import timeline
from marketplace.core.timeline import Change, Moment, Stage, Step
from marketplace.models import Assignment, Batch, Campaign, Lot, RoutingEvent

_WAITS: Final = {
    "batch.offering": Stage.OFFER,
    "batch.waiting": Stage.OFFER,
    "assignment.failed": Stage.OFFER,
    "verdict.rejected": Stage.OFFER,
    "verdict.rework": Stage.LABEL,
    "batch.escalated": Stage.DECIDE,
    "escalation.resolved": Stage.OFFER,
    "batch.delivered": None,
    "batch.cancelled": None,
    "opinions.not_given": None,
}
"""What a batch waits for after an event; an accepted offer is in the assignments."""
_OF_CAMPAIGN: Final = (
    "campaign.paused",
    "campaign.running",
    "campaign.stopped",
    "round.evaluated",
    "round.ordered",
    "round.proposed",
)


@dataclass(frozen=True, slots=True)
class RoundTime:
    """A round from the end of the one before to its own, and what held it up; the steps add up to it exactly."""

    number: int
    start: Moment
    end: Moment
    steps: list[Step]

    @property
    def lasted(self) -> datetime.timedelta:
        """How long it was."""
        return self.end - self.start

    @property
    def lasted_s(self) -> float:
        """The same in seconds."""
        return self.lasted.total_seconds()

    @property
    def by_stage(self) -> dict[str, datetime.timedelta]:
        """How long each stage held it up."""
        return _by_stage(self.steps)

    @property
    def longest(self) -> str:
        """The stage that held it up longest."""
        found = self.by_stage
        return max(found, key=lambda stage: found[stage]) if found else ""

    @property
    def last_batch(self) -> str:
        """The batch that its lot was waiting for last."""
        return next((step.batch for step in reversed(self.steps) if step.batch), "")


@dataclass(frozen=True, slots=True)
class Times:
    """A campaign's rounds, and how long each stage held it up in all of them."""

    rounds: list[RoundTime]

    @property
    def lasted(self) -> datetime.timedelta:
        """How long all rounds were."""
        return sum((one.lasted for one in self.rounds), datetime.timedelta())

    @property
    def by_stage(self) -> dict[str, datetime.timedelta]:
        """How long each stage held it up."""
        return _by_stage(step for one in self.rounds for step in one.steps)

    @property
    def lasted_s(self) -> float:
        """How long all rounds were, in seconds."""
        return self.lasted.total_seconds()

    @property
    def by_stage_s(self) -> dict[str, float]:
        """How long each stage held it up, in seconds."""
        return {stage: lasted.total_seconds() for stage, lasted in self.by_stage.items()}


def _by_stage(steps: Iterable[Step]) -> dict[str, datetime.timedelta]:
    found = {stage.value: datetime.timedelta() for stage in Stage}
    for step in steps:
        found[step.stage] += step.lasted
    return {stage: lasted for stage, lasted in found.items() if lasted}


def of_campaign(campaign: Campaign) -> Times:
    """Return where the time went, up to now while the campaign goes on; five queries and the clock.

    Rounds of before compute was measured do not tell when training began: closing is part of training there.
    """
    events = list(
        RoutingEvent.objects.filter(job=campaign.job_id, kind__in=[*_WAITS, *_OF_CAMPAIGN])
        .order_by("created_at", "pk")
        .values_list("created_at", "kind", "lot", "batch", "facts__round")
    )
    ours = [(at, kind, lot, number) for at, kind, lot, batch, number in events if batch is None]
    stopped = [at for at, kind, *_ in ours if kind == "campaign.stopped"]
    end = campaign.finished_at or (stopped[-1] if stopped else database_now())
    lots = {number: lot for _, kind, lot, number in ours if kind == "round.ordered"}
    evaluated = {number: at for at, kind, _, number in ours if kind == "round.evaluated"}
    proposed = {number: at for at, kind, _, number in ours if kind == "round.proposed"}
    rows = Lot.objects.filter(pk__in=lots.values()).values_list("pk", "created_at", "closed_at")
    spans: dict[uuid.UUID | None, tuple[Moment | None, Moment | None]] = {
        lot: (ordered, closed) for lot, ordered, closed in rows
    }
    changes = _changes(campaign.job_id, [(at, kind, batch) for at, kind, _, batch, _ in events if batch])
    trained = compute.training_began(campaign.experiment_id)
    pauses = _pauses([(at, kind) for at, kind, *_ in ours], end)
    rounds, start = [], campaign.created_at
    for number in range(campaign.first_round, campaign.round + 1):
        until = min(evaluated.get(number, end), end)
        ordered, closed = spans.get(lots.get(number), (None, None))
        lot = lots.get(number)
        steps = _steps(start, until, proposed.get(number), ordered, closed, trained.get(number), changes[lot])
        rounds.append(RoundTime(number, start, until, timeline.paused(steps, pauses)))
        start = until
    return Times(rounds)


def _changes(job_id: uuid.UUID, events: list[tuple[Moment, str, uuid.UUID]]) -> dict[uuid.UUID | None, list[Change]]:
    """Return by lot when its batches began to wait for what."""
    rows = list(Batch.objects.filter(job=job_id).values_list("pk", "lot", "chunk", "created_at"))
    accepted = Assignment.objects.filter(job=job_id).order_by("pk").values_list("created_at", "batch")
    place = {pk: (lot, chunk) for pk, lot, chunk, _ in rows}
    told: list[tuple[Moment, uuid.UUID, Stage | None]] = [(at, pk, Stage.OFFER) for pk, _, _, at in rows]
    told += [(at, pk, _WAITS[kind]) for at, kind, pk in events]
    told += [(at, pk, Stage.LABEL) for at, pk in accepted]
    found: dict[uuid.UUID | None, list[Change]] = defaultdict(list)
    for at, pk, stage in told:
        lot, chunk = place[pk]
        found[lot].append(Change(at, Batch(pk=pk).public_id, chunk, stage))
    return found


def _steps(
    start: Moment,
    end: Moment,
    proposed: Moment | None,
    ordered: Moment | None,
    closed: Moment | None,
    trained: Moment | None,
    changes: list[Change],
) -> list[Step]:
    """Return what held a round up: selecting, its customer, its lot until closed, closing, training."""
    ordered = min(ordered or end, end)
    chosen = min(proposed or ordered, ordered)
    closed = min(closed or end, end)
    trained = min(max(trained, closed), end) if trained else closed
    ours = [Step(Stage.SELECT, start, chosen), Step(Stage.DECIDE, chosen, ordered)]
    ours += timeline.path(changes, ordered, closed)
    ours += [Step(Stage.CLOSE, closed, trained), Step(Stage.TRAIN, trained, end)]
    return [step for step in ours if step.start < step.end]


def _pauses(events: list[tuple[Moment, str]], end: Moment) -> list[tuple[Moment, Moment]]:
    """Return from when to when the campaign was paused."""
    pauses, since = [], None
    for at, kind in events:
        if kind == "campaign.paused":
            since = since or at
        elif kind in {"campaign.running", "campaign.stopped"} and since is not None:
            pauses.append((since, at))
            since = None
    return [*pauses, (since, end)] if since is not None and since < end else pauses
