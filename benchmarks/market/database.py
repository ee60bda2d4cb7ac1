"""A PostgreSQL of the benchmark's own, durable, gone with it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.child import Child
from embedded.home import PROJECT, Home
from embedded.postgres import Postgres

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


class Database:
    """A server that can be killed and started again."""

    def __init__(self, postgres: Postgres, child: Child) -> None:
        self._postgres = postgres
        self._child = child

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._child.start()
        _wait_for(self._postgres)

    def kill(self) -> None:
        """Kill it, as `kill -9` does."""
        self._child.kill()


@contextmanager
def running() -> Iterator[Database]:
    """Start a server in a folder of its own and point Django at it; the broker stays away."""
    home = Home(Path(tempfile.mkdtemp(prefix="labelyard-bench-")))
    home.prepare()
    postgres = Postgres.of(home)
    child = Child(postgres.service(), home.logs)
    os.environ |= environment(postgres, home)
    database = Database(postgres, child)
    try:
        database.start()
        postgres.create_database()
        subprocess.run([sys.executable, "manage.py", "migrate", "--no-input", "-v0"], cwd=PROJECT, check=True)
        yield database
    finally:
        child.kill()
        shutil.rmtree(home.root, ignore_errors=True)


def environment(postgres: Postgres, home: Home) -> dict[str, str]:
    """Return what points Django at a server, with nobody at the broker's address."""
    return {
        "DATABASE_URL": postgres.url(),
        "REDIS_URL": NOBODY_LISTENS,
        "LABELYARD_HOME": str(home.root),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "ERROR",
    }


def _wait_for(postgres: Postgres) -> None:
    for _ in range(100):
        if postgres.is_ready():
            return
        subprocess.run(["sleep", "0.1"], check=True)  # noqa: S607
    raise TimeoutError("the benchmark's PostgreSQL did not start")
