"""Where the time of a round went: its critical path, walked backwards from what ended last."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

Moment = datetime.datetime


class Stage(StrEnum):
    """What a round is held up by."""

    SELECT = "select"
    OFFER = "offer"
    LABEL = "label"
    VET = "vet"
    DECIDE = "decide"
    CLOSE = "close"
    TRAIN = "train"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time that one stage held the round up; ``batch`` is the one it waited for, if any."""

    stage: Stage
    start: Moment
    end: Moment
    batch: str = ""

    @property
    def lasted(self) -> datetime.timedelta:
        """How long it was."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Change:
    """A batch begins to wait for something from a moment on: a stage, or None when it waits for nothing but vetting."""

    at: Moment
    batch: str
    chunk: int
    stage: Stage | None


@dataclass(frozen=True, slots=True)
class _Turn:
    step: Step
    chunk: int


def path(changes: Iterable[Change], start: Moment, end: Moment) -> list[Step]:
    """Return what held a lot up from ``start`` to ``end``, in order and without gaps.

    Parameters
    ----------
    changes
        Of all batches of the lot. A batch waits in a stage until its next change, or until ``end``.
    start, end
        When the lot was ordered, and when it closed (or now).

    Returns
    -------
    list of Step
        Their lengths add up to ``end - start`` exactly. Walked backwards: the last wait to end is the one that the lot
        closed upon; before it, within the same chunk, the last to end before it began, and so on. What lies between is
        vetting, which puts a chunk's batches together and may ask for more.

    Notes
    -----
    O(m log m) of m changes. Of waits that end together the one of the batch at hand, then the shorter, comes first.

    Examples
    --------
    >>> t = [datetime.datetime(2026, 1, 1, hour) for hour in range(6)]
    >>> waits = [Change(t[0], "a", 0, Stage.OFFER), Change(t[1], "a", 0, Stage.LABEL), Change(t[4], "a", 0, None)]
    >>> [(step.stage.value, step.lasted.seconds // 3600) for step in path(waits, t[0], t[5])]
    [('offer', 1), ('label', 3), ('vet', 1)]
    """
    turns = sorted(_turns(changes, start, end), key=lambda turn: (turn.step.end, turn.step.start))
    steps: list[Step] = []
    now, at = end, None
    while now > start:
        turn = _before(turns, now, at)
        if turn is None:
            steps.append(Step(Stage.VET, start, now))
            break
        if turn.step.end < now:
            steps.append(Step(Stage.VET, turn.step.end, now, turn.step.batch))
        steps.append(turn.step)
        now, at = turn.step.start, turn
    return steps[::-1]


def _turns(changes: Iterable[Change], start: Moment, end: Moment) -> list[_Turn]:
    """Return every wait of every batch, cut to the time in question."""
    open_: dict[str, Change] = {}
    turns = []
    for change in sorted(changes, key=lambda one: one.at):
        before = open_.get(change.batch)
        if before is not None and before.stage == change.stage:
            continue
        if before is not None:
            turns.append((before, change.at))
        open_[change.batch] = change
    turns += [(last, end) for last in open_.values()]
    found = []
    for change, until in turns:
        low, high = max(change.at, start), min(until, end)
        if change.stage is not None and low < high:
            found.append(_Turn(Step(change.stage, low, high, change.batch), change.chunk))
    return found


def _before(turns: Sequence[_Turn], now: Moment, at: _Turn | None) -> _Turn | None:
    """Return the last wait to end by now: of the chunk at hand, of its batch first."""
    ended = [turn for turn in turns if turn.step.end <= now and (at is None or turn.chunk == at.chunk)]
    if not ended:
        return None
    last = [turn for turn in ended if turn.step.end == ended[-1].step.end]
    same = [turn for turn in last if at is not None and turn.step.batch == at.step.batch]
    return (same or last)[-1]


def paused(steps: Iterable[Step], pauses: Sequence[tuple[Moment, Moment]]) -> list[Step]:
    """Return the steps with our own ones cut where the campaign was paused; vendors go on meanwhile.

    ``pauses`` are in order and do not overlap. The lengths add up to the same.

    Examples
    --------
    >>> t = [datetime.datetime(2026, 1, 1, hour) for hour in range(5)]
    >>> cut = paused([Step(Stage.SELECT, t[0], t[4])], [(t[1], t[2])])
    >>> [(step.stage.value, step.lasted.seconds // 3600) for step in cut]
    [('select', 1), ('paused', 1), ('select', 2)]
    """
    found: list[Step] = []
    for step in steps:
        now = step.start
        held = pauses if step.stage in {Stage.SELECT, Stage.CLOSE, Stage.TRAIN} else ()
        for begin, until in held:
            low, high = max(begin, now), min(until, step.end)
            if low < high:
                found += [replace(step, start=now, end=low), Step(Stage.PAUSED, low, high)]
                now = high
        found.append(replace(step, start=now))
    return [step for step in found if step.start < step.end]
