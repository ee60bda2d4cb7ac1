"""One supervised process: started, watched, restarted with growing pauses, stopped."""

import signal
import subprocess
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from embedded import processes
from embedded.processes import ProcessIdentity
from embedded.service import Service

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
MOST_RESTARTS, WITHIN_S = 10, 60.0
CHECK_PERIOD_S, PATIENCE_S = 2.0, 30.0
LARGEST_OLD_LOG = 5_000_000


class KeepsDyingError(RuntimeError):
    """A process died so often in a short time that starting it again helps nobody."""


class Child:
    """The state of one service's process."""

    def __init__(self, service: Service, logs: Path) -> None:
        self.service = service
        self.log = logs / f"{service.name}.log"
        self.identity: ProcessIdentity | None = None
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths: deque[float] = deque(maxlen=MOST_RESTARTS)
        self._due = 0.0
        self._checked = self._well = 0.0

    def start(self) -> None:
        """Start the process as the leader of its own group, bound to end with the supervisor."""
        if self.service.before_start is not None:
            self.service.before_start()
        _keep_small(self.log)
        with self.log.open("ab") as log:
            log.write(f"--- {self.service.name} starts {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n".encode())
            log.flush()
            self._process = self._spawn(log)
        self.identity = ProcessIdentity.of(self._process.pid)
        self.starts += 1
        self._checked = self._well = time.monotonic()

    def is_ready(self) -> bool:
        """Return whether the process runs and answers."""
        return self._runs() and self.service.is_well()

    def watch(self) -> bool:
        """Look after the process once; return whether it was started anew."""
        now = time.monotonic()
        if self._process is not None and not self._runs():
            self._bury(now)
        elif self._process is not None:
            self._check_health(now)
        elif now >= self._due:
            self.start()
            return True
        return False

    def ask_to_stop(self) -> None:
        """Send the stop signal."""
        if self._process is not None and self._runs():
            processes.signal_group(self._process.pid, self.service.stop_signal)

    def stop(self) -> None:
        """Wait for the end that was asked for, and force it when it takes too long."""
        if self._process is None:
            return
        try:
            self._process.wait(self.service.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self._note("did not stop in time and is killed")
        self.kill()

    def kill(self) -> None:
        """End the process and everything it started, at once."""
        if self._process is not None:
            processes.signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = self.identity = None

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return None if self._process is None else self._process.poll()

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        service = self.service
        return processes.spawn(
            service.command,
            log,
            environment=service.environment,
            folder=service.folder,
            user=service.user,
            death_signal=service.stop_signal,
        )

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _bury(self, now: float) -> None:
        """Clear away a dead process's group and plan the next start."""
        code = self._process.returncode if self._process else None
        self.kill()
        if len(self._deaths) == MOST_RESTARTS and now - self._deaths[0] < WITHIN_S:
            raise KeepsDyingError(
                f"{self.service.name} died {MOST_RESTARTS + 1} times within {WITHIN_S:.0f} s: see {self.log}"
            )
        self._deaths.append(now)
        recent = sum(1 for death in self._deaths if now - death < WITHIN_S)
        self._due = now + min(FIRST_PAUSE_S * 2 ** (recent - 1), LONGEST_PAUSE_S)
        self._note(f"ended with code {code}; next start in {self._due - now:.1f} s")

    def _check_health(self, now: float) -> None:
        """Kill a process that runs but has not answered for long; the next look starts it again."""
        if now - self._checked < CHECK_PERIOD_S:
            return
        self._checked = now
        if self.service.is_well():
            self._well = now
        elif now - self._well > PATIENCE_S and self._process is not None:
            self._note("does not answer and is killed")
            processes.signal_group(self._process.pid, signal.SIGKILL)

    def _note(self, text: str) -> None:
        with self.log.open("a") as log:
            log.write(f"--- {self.service.name} {text}\n")


def _keep_small(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_OLD_LOG:
        log.replace(log.with_suffix(".old.log"))
