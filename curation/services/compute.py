"""The ledger of compute: every attempt at a stage is measured by the process that makes it."""

import resource
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from curation.models import ComputeEntry, ComputeStage


@dataclass(slots=True)
class _Meter:
    """What an attempt has read so far, and what of its cost others' entries hold."""

    n_rows: int = 0
    inner_cpu_us: int = 0
    inner_wall_us: int = 0


_current: ContextVar[_Meter | None] = ContextVar("meter", default=None)


@contextmanager
def measured(*, experiment_id: uuid.UUID, number: int, stage: ComputeStage, shard: int | None = None) -> Iterator[None]:
    """Enter an attempt at a stage of a round into the ledger: that it begins, and how it ended, failed or not.

    An attempt inside another one is taken out of the outer one's cost: the ledger's sum counts everything once.
    CPU is that of this process: in a web server of several threads, what other requests use meanwhile is counted too;
    workers do one task at a time.
    """
    entry = {"experiment_id": experiment_id, "round": number, "stage": stage, "shard": shard, "attempt": uuid.uuid4()}
    ComputeEntry.objects.create(**entry, is_end=False)
    outer, meter = _current.get(), _Meter()
    token = _current.set(meter)
    cpu_us, wall_us = _cpu_us(), time.perf_counter_ns() // 1000
    try:
        yield
    finally:
        cpu_us, wall_us = _cpu_us() - cpu_us, time.perf_counter_ns() // 1000 - wall_us
        _current.reset(token)
        if outer is not None:
            outer.inner_cpu_us += cpu_us
            outer.inner_wall_us += wall_us
        ComputeEntry.objects.create(
            **entry,
            is_end=True,
            cpu_us=cpu_us - meter.inner_cpu_us,
            wall_us=wall_us - meter.inner_wall_us,
            n_rows=meter.n_rows,
        )


def read(n_rows: int) -> None:
    """Count rows of features that the attempt under way has worked on; outside of any, nothing is counted."""
    meter = _current.get()
    if meter is not None:
        meter.n_rows += n_rows


def _cpu_us() -> int:
    """Return the CPU time of this process and of the children it has waited for, microseconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time_ns() // 1000 + round((children.ru_utime + children.ru_stime) * 1e6)
