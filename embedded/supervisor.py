"""The one process that starts, watches and stops all others."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TextIO

from embedded import processes, run_info, stale
from embedded.child import Child
from embedded.home import Home
from embedded.log_tail import LogTail
from embedded.processes import ProcessIdentity
from embedded.run_info import RunInfo
from embedded.service import Service
from embedded.stack import Stack

TICK_S = 0.1
START_TIMEOUT_S = 60.0


class AlreadyRunningError(RuntimeError):
    """Another supervisor runs this home."""


class StoppedError(Exception):
    """Somebody asked us to stop while we were still starting."""


class Supervisor:
    """Runs a stack until it is told to stop (SIGINT, SIGTERM) or one of its parts keeps dying."""

    def __init__(self, stack: Stack, say: Callable[[str], None] = print, tail: LogTail | None = None) -> None:
        self.stack = stack
        self.home = stack.home
        self.children: list[Child] = []
        self._say = say
        self._tail = tail
        self._asked_by: signal.Signals | None = None
        self._state = "starting"

    def run(self) -> int:
        """Run to the end; return the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            self._start()
            self._watch()
        except StoppedError:
            return 0
        except (RuntimeError, TimeoutError, subprocess.CalledProcessError) as error:
            self._say(f"labelyard: {error}")
            return 1
        finally:
            self._stop()
        return 0

    def _start(self) -> None:
        self._launch(self.stack.data_services())
        self.stack.create_database()
        self._migrate()
        self._launch(self.stack.programs())
        self._state = "ready"
        self._write_run_file()
        self._say(f"labelyard: ready at {self.stack.web_url} (logs in {self.home.logs})")

    def _watch(self) -> None:
        while self._asked_by is None:
            restarted = [child for child in self.children if child.watch()]
            if restarted:
                self._write_run_file()
            if self._tail is not None:
                self._tail.show_new()
            time.sleep(TICK_S)

    def _launch(self, services: list[Service]) -> None:
        """Start services together and wait until each answers."""
        fresh = [Child(service, self.home.logs) for service in services]
        for child in fresh:
            self._check_stop()
            self.children.append(child)
            if self._tail is not None:
                self._tail.follow(child.log)
            child.start()
        self._write_run_file()
        deadline = time.monotonic() + START_TIMEOUT_S
        for child in fresh:
            self._wait_ready(child, deadline)

    def _wait_ready(self, child: Child, deadline: float) -> None:
        while not child.is_ready():
            self._check_stop()
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{child.service.name} does not answer after {START_TIMEOUT_S:.0f} s: see {child.log}"
                )
            child.watch()
            time.sleep(TICK_S / 2)

    def _migrate(self) -> None:
        """Bring the database to the current schema (nothing to do on most starts)."""
        migration = Child(self.stack.migration(), self.home.logs)
        self.children.append(migration)
        migration.start()
        while (code := migration.poll()) is None:
            self._check_stop()
            time.sleep(TICK_S / 2)
        self.children.remove(migration)
        if code != 0:
            raise RuntimeError(f"the migrations failed with code {code}: see {migration.log}")

    def _stop(self) -> None:
        """Stop in reverse order: programs first, together, then the servers they use."""
        self._state = "stopping"
        if self._asked_by is not None:
            self._say(f"labelyard: stopping on {self._asked_by.name}")
        n_servers = len(self.stack.data_services())
        for group in (self.children[n_servers:], self.children[:n_servers]):
            for child in group:
                child.ask_to_stop()
            for child in group:
                child.stop()
        self.home.run_file.unlink(missing_ok=True)

    def _check_stop(self) -> None:
        if self._asked_by is not None:
            raise StoppedError

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked_by is not None:  # asked twice: no more patience
            for identity in [child.identity for child in self.children if child.identity is not None]:
                processes.signal_group(identity.pid, signal.SIGKILL)
        self._asked_by = signal.Signals(number)

    def _write_run_file(self) -> None:
        me = ProcessIdentity.of(os.getpid())
        assert me is not None  # noqa: S101  # we run
        running = {child.service.name: child.identity for child in self.children if child.identity is not None}
        urls = (self.stack.environment["DATABASE_URL"], self.stack.environment["REDIS_URL"])
        RunInfo(self._state, me, self.stack.web_url, *urls, running).write(self.home.run_file)


def lock(home: Home) -> TextIO:
    """Take the home for this process; the system gives it back when we end, however we end.

    Raises
    ------
    AlreadyRunningError
        When another supervisor holds it.
    """
    file = home.lock_file.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        info = run_info.read(home.run_file)
        raise AlreadyRunningError(f"{home.root} is in use{f' by {info.web_url}' if info else ''}.") from error
    return file


def tell(words: str) -> None:
    """Print a line that whoever reads our output sees at once."""
    print(words, flush=True)


def serve(home: Home, say: Callable[[str], None] = tell, *, show_logs: bool = False) -> int:
    """Run the service of a home in this process until it is told to stop; return the exit code."""
    home.prepare()
    try:
        held = lock(home)
    except AlreadyRunningError as error:
        say(f"labelyard: {error}")
        return 1
    with held, suppress(BrokenPipeError):
        for name in stale.clean(home):
            say(f"labelyard: stopped {name}, left over from a killed run")
        try:
            stack = Stack.of(home)
        except ValueError as error:
            say(f"labelyard: {error}")
            return 2
        return Supervisor(stack, say, LogTail(say) if show_logs else None).run()
    return 1  # whoever read our words is gone
