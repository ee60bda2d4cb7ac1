"""What the supervisor needs to know about one process it runs."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embedded.server_user import ServerUser


def always_well() -> bool:
    """Say that a running process is all one can ask for."""
    return True


@dataclass(frozen=True, slots=True)
class Service:
    """One long-running process.

    Attributes
    ----------
    is_well
        Whether the service answers; asked again and again, so it must be quick.
    before_start
        Clears away what a killed predecessor left behind.
    stop_signal
        Asks for a clean end; also what the kernel sends when the supervisor itself is killed.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    is_well: Callable[[], bool] = always_well
    before_start: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 8.0
    user: ServerUser | None = None
