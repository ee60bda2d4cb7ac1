"""A stack of stand-ins to test the supervisor on in seconds: ``python -m tests.embedded.small HOME MODE``."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from embedded import stale
from embedded.home import PROJECT, Home
from embedded.service import Service
from embedded.supervisor import Supervisor, lock

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
PARENT = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
BROKEN = "raise SystemExit(3)"
PROGRAMS = {"plain": (SLEEPER, PARENT), "deaf": (DEAF,), "broken": (SLEEPER, BROKEN), "badmigration": (SLEEPER,)}


@dataclass
class SmallStack:
    """What Supervisor asks of a stack, made of sleeping processes."""

    home: Home
    mode: str
    web_url: str = "http://127.0.0.1:9"
    environment: dict[str, str] = field(default_factory=lambda: {"DATABASE_URL": "x", "REDIS_URL": "y"})

    def data_services(self) -> list[Service]:
        return [_sleeper("server", SLEEPER)]

    def create_database(self) -> None:
        """There is none."""

    def migration(self) -> Service:
        return _sleeper("migrate", "raise SystemExit(7)" if self.mode == "badmigration" else "pass")

    def programs(self) -> list[Service]:
        return [_sleeper(f"program-{number}", code) for number, code in enumerate(PROGRAMS[self.mode])]


def _sleeper(name: str, code: str) -> Service:
    return Service(name, [sys.executable, "-c", code], folder=PROJECT, stop_timeout_s=1.0)


if __name__ == "__main__":
    home = Home(Path(sys.argv[1]))
    home.prepare()
    held = lock(home)
    stale.clean(home)
    sys.exit(Supervisor(SmallStack(home, sys.argv[2])).run())  # type: ignore[arg-type]
