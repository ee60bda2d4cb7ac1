"""Processes by identity: a process id alone may long belong to somebody else."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from embedded.server_user import ServerUser

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process id together with the moment the process started, which the system never gives twice."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """Return the identity of a running process; None when there is none (a zombie is none)."""
        started = _started(pid) if pid > 0 else None
        return None if started is None else cls(pid, started)

    @property
    def is_running(self) -> bool:
        """Whether this very process still runs."""
        return ProcessIdentity.of(self.pid) == self


def die_with_parent(death_signal: int = signal.SIGKILL) -> None:
    """Ask the kernel to signal this process when its parent's starting thread ends, kill -9 included (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)


def spawn(
    command: Sequence[str],
    log: IO[bytes],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: ServerUser | None = None,
    death_signal: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process as the leader of its own group, bound to end when the calling thread does."""
    parent = os.getpid()

    def bind_to_parent() -> None:
        die_with_parent(death_signal)
        if os.getppid() != parent:  # it ended before the binding stood
            os._exit(1)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=dict(environment) if environment else None,
        cwd=folder or "/",
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        start_new_session=True,
        preexec_fn=bind_to_parent,  # noqa: PLW1509  # callers are single-threaded when they start processes
    )


def signal_group(pid: int, number: int) -> None:
    """Signal a process and everything in the group it leads; a group already gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def wait_gone(identity: ProcessIdentity, timeout_s: float) -> bool:
    """Wait until a process (any process, not only a child) is gone; return whether it is."""
    deadline = time.monotonic() + timeout_s
    while identity.is_running:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def stop(identity: ProcessIdentity, number: int = signal.SIGTERM, timeout_s: float = 5.0) -> None:
    """End a process and the group it leads: first asked, then killed. A process that is gone is left alone."""
    if not identity.is_running:
        return
    signal_group(identity.pid, number)
    wait_gone(identity, timeout_s)
    signal_group(identity.pid, signal.SIGKILL)
    wait_gone(identity, timeout_s)


def command_of(pid: int) -> str:
    """Return a process's command line; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "" if sys.platform == "linux" else _ps("args=", pid)


def _started(pid: int) -> str | None:
    return _started_linux(pid) if sys.platform == "linux" else _started_elsewhere(pid)


def _started_linux(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold blanks and brackets
    return None if fields[0] in "ZX" else fields[19]


def _started_elsewhere(pid: int) -> str | None:
    state, _, started = _ps("stat=,lstart=", pid).partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def _ps(columns: str, pid: int) -> str:
    command = ["ps", "-ww", "-o", columns, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
