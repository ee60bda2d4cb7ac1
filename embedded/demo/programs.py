"""The processes of a demo run: the service under its supervisor, and the client programs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from embedded import processes, run_info
from embedded.home import PROJECT, Home
from embedded.run_info import RunInfo

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 25.0


PAYMENTS: Final = {
    "LABELYARD_PAYMENTS": "stand-in",
    "PAYOUT_PERIOD_S": "8",
    "RECONCILE_PERIOD_S": "4",
    "CATCH_UP_PERIOD_S": "10",
}
"""Money goes through the stand-in provider; its day has 8 seconds, so that a run sees several daily payouts."""


class ServiceError(RuntimeError):
    """The service did not come up."""


class Programs:
    """Starts processes that end with this one; the service is asked to stop, clients are just ended."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._service: subprocess.Popen[bytes] | None = None
        self._info: RunInfo | None = None
        self._clients: dict[str, subprocess.Popen[bytes]] = {}

    def start_service(self) -> RunInfo:
        """Start the service and wait until it is ready."""
        self.home.prepare()
        environment = dict(os.environ) | {"LABELYARD_HOME": str(self.home.root)} | PAYMENTS
        self._service = self._spawn("supervisor", "embedded", [], signal.SIGTERM, environment)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            self._info = run_info.read(self.home.run_file)
            if self._info is not None and self._info.is_ready:
                return self._info
            if self._service.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(f"The service did not start; see {self.home.logs}:\n{self._last_words()}")
            time.sleep(0.1)

    def service_info(self) -> RunInfo:
        """Return where the running service is found."""
        if self._info is None:
            raise ServiceError("The service was not started.")
        return self._info

    def start_client(self, name: str, module: str, *arguments: str) -> None:
        """Start a client program."""
        environment = dict(os.environ) | {"PYTHONUNBUFFERED": "1"}
        self._clients[name] = self._spawn(f"client-{name}", module, list(arguments), signal.SIGKILL, environment)

    def exit_code(self, name: str) -> int | None:
        """Return a client's exit code, or None while it runs."""
        return self._clients[name].poll()

    def dead(self) -> list[str]:
        """Return the clients that ended with an error."""
        return [name for name, client in self._clients.items() if client.poll() not in {None, 0}]

    def is_service_up(self) -> bool:
        """Return whether the supervisor still runs."""
        return self._service is not None and self._service.poll() is None

    def stop_clients(self) -> None:
        """End all client programs."""
        for client in self._clients.values():
            if client.poll() is None:  # the id of one that ended and was waited for may be somebody else's by now
                processes.signal_group(client.pid, signal.SIGKILL)
                client.wait()

    def stop(self) -> None:
        """End everything: the clients first, then the service in good order."""
        self.stop_clients()
        if self._service is None:
            return
        self._service.terminate()
        try:
            self._service.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._service.kill()  # its children notice and end by themselves
            self._service.wait()

    def log_of(self, name: str) -> Path:
        """Return where a process writes."""
        return self.home.logs / f"{name}.log"

    def _spawn(
        self, name: str, module: str, arguments: list[str], death_signal: int, environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        with self.log_of(name).open("ab") as log:
            command = [sys.executable, "-m", module, *arguments]
            return processes.spawn(command, log, environment=environment, folder=PROJECT, death_signal=death_signal)

    def _last_words(self) -> str:
        log = self.log_of("supervisor")
        return "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else ""
