"""The demo as a customer starts it, in a home of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from embedded import run_info
from embedded.home import PROJECT, Home
from embedded.processes import ProcessIdentity
from embedded.run_info import RunInfo
from tests.waiting import eventually

_SERVERS = ("DATABASE_URL", "REDIS_URL", "PGOPTIONS")


class RunningDemo:
    """One run of ``python -m embedded.demo``."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.home = Home(folder / "home" / "demo")
        self.output = folder / "output.txt"
        # The demo starts servers of its own: nothing of the test run's servers may reach it.
        environment = {name: value for name, value in os.environ.items() if name not in _SERVERS}
        environment |= {"LABELYARD_HOME": str(folder / "home"), "LABELYARD_PORT": "0"}
        command = [sys.executable, "-m", "embedded.demo", *arguments]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait_ready(self) -> RunInfo:
        """Return the service once it is up."""

        def look() -> RunInfo | None:
            assert self.process.poll() is None, self.output.read_text()
            info = run_info.read(self.home.run_file)
            return info if info is not None and info.is_ready else None

        info = eventually(look, timeout_s=90)
        assert info is not None
        return info

    def wait_said(self, words: str, timeout_s: float = 90.0) -> None:
        """Wait until the demo has printed some words."""

        def look() -> bool:
            text = self.output.read_text()
            assert words in text or self.process.poll() is None, text
            return words in text

        eventually(look, timeout_s)

    def family(self) -> list[ProcessIdentity]:
        """Return every process that works in this home: by its environment, whoever its parent is."""
        wanted = f"LABELYARD_HOME={self.home.root}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and wanted in _environment(entry):
                identity = ProcessIdentity.of(int(entry.name))
                found += [identity] if identity else []
        info = run_info.read(self.home.run_file)
        return found + (list(info.processes.values()) if info else [])

    def outcome(self, seed: int) -> dict[str, Any]:
        """Return the run in numbers."""
        path = self.home.root.parent / "reports" / f"demo-seed-{seed}.json"
        outcome: dict[str, Any] = json.loads(path.read_text())
        return outcome


def _environment(entry: Path) -> list[bytes]:
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
