"""A crowd of processes at one market: forked, killed at random, replaced, stopped at the end."""

import os
import random
import signal
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import connections

from benchmarks.races import players, world
from benchmarks.races.story import Story

PATIENCE_S: Final = 60.0
"""How long a process may take to end by itself once its time is up, seconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many take part, how often they die, and what the dice start from.

    ``statements_per_death`` and ``seconds_per_kill`` are means; None for no deaths of that kind. Whoever ends too soon
    is replaced after ``pause_s``.
    """

    n_deciders: int = 4
    n_sweepers: int = 2
    seconds: float = 10.0
    statements_per_death: float | None = 400.0
    seconds_per_kill: float | None = 1.0
    n_lapsing: int = 200
    seed: int = 0
    pause_s: float = 0.0


def run(plan: Plan, folder: Path, *, tolerate: Callable[[str], bool] = lambda _: False) -> Story:
    """Run the crowd until its time is up and tell its story; whoever dies is replaced at once.

    ``tolerate`` says which errors end a process without blame (a database that is restarted under it).
    """
    sellers = world.load_sellers()
    connections.close_all()  # a connection must not be shared with a child
    rng, stop_at = random.Random(plan.seed), time.monotonic() + plan.seconds
    jobs = [True] * plan.n_deciders + [False] * plan.n_sweepers
    crowd = {_fork(plan, is_decider, rng.getrandbits(32), stop_at, sellers, folder): is_decider for is_decider in jobs}
    story, due = Story(), time.monotonic() + _wait(rng, plan.seconds_per_kill)
    while crowd:
        for pid, status in _ended(crowd):
            is_decider = crowd.pop(pid)
            story.n_deaths += os.WIFSIGNALED(status)
            if time.monotonic() < stop_at:
                story.n_ended += 1
                time.sleep(plan.pause_s)
                fresh = _fork(plan, is_decider, rng.getrandbits(32), stop_at, sellers, folder)
                crowd[fresh] = is_decider
        if crowd and time.monotonic() >= min(due, stop_at + PATIENCE_S):
            os.kill(rng.choice(sorted(crowd)), signal.SIGKILL)
            due = time.monotonic() + _wait(rng, plan.seconds_per_kill)
        time.sleep(0.01)
    for file in sorted(folder.glob("said-*")):
        story.read(file.read_text().splitlines())
        file.unlink()
    story.errors = [error for error in story.errors if not tolerate(error)]
    return story


def _ended(crowd: Iterable[int]) -> list[tuple[int, int]]:
    """Return id and status of those that have ended; no other children of ours are waited for."""
    found = (os.waitpid(pid, os.WNOHANG) for pid in list(crowd))
    return [(pid, status) for pid, status in found if pid]


def _wait(rng: random.Random, mean: float | None) -> float:
    return float("inf") if mean is None else rng.expovariate(1 / mean)


def _fork(
    plan: Plan, is_decider: bool, seed: int, stop_at: float, sellers: dict[uuid.UUID, world.Seller], folder: Path
) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = _play(plan, is_decider, random.Random(seed), stop_at, sellers, folder)
    finally:
        os._exit(code)  # nothing of the parent's is closed or flushed here


def _play(
    plan: Plan,
    is_decider: bool,
    rng: random.Random,
    stop_at: float,
    sellers: dict[uuid.UUID, world.Seller],
    folder: Path,
) -> int:
    book = os.open(folder / f"said-{os.getpid()}-{rng.getrandbits(32)}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def say(line: str) -> None:
        os.write(book, f"{line}\n".encode())

    if plan.statements_per_death is not None:
        players.die_at(1 + int(rng.expovariate(1 / plan.statements_per_death)))
    try:
        if is_decider:
            players.decide(rng, sellers, say, stop_at)
        else:
            players.sweep(rng, say, stop_at, plan.n_lapsing)
    except BaseException as error:
        where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[1:]]
        say(f"error {type(error).__name__}: {str(error)!r} in {' '.join(where)}")
        return 1
    return 0
