"""The servers of one test run, held by one process that ends when pytest does, however it ends.

``python -m tests.servers HOME`` starts PostgreSQL (with a migrated template database) or Valkey when a test first asks
for it, by making a file ``HOME/wanted-NAME``; the holder answers with a file ``HOME/ready-NAME`` that holds the URL.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from embedded import postgres_files, processes
from embedded.child import Child
from embedded.home import PROJECT, Home
from embedded.postgres import Postgres
from embedded.valkey import Valkey

TEMPLATE = "labelyard_template"
TIMEOUT_S = 90.0


def start_holder(home: Path) -> subprocess.Popen[bytes]:
    """Start the holder as a child of the calling process, bound to end with it."""
    log = (home / "holder.log").open("ab")
    with log:
        command = [sys.executable, "-m", "tests.servers", str(home)]
        return processes.spawn(command, log, folder=PROJECT, death_signal=signal.SIGTERM)


def ask(home: Path, name: str) -> str:
    """Return the URL of a server of the run, started now if nobody asked before."""
    (home / f"wanted-{name}").touch()
    ready, deadline = home / f"ready-{name}", time.monotonic() + TIMEOUT_S
    while not ready.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} did not start:\n{(home / 'holder.log').read_text()}")
        time.sleep(0.05)
    return ready.read_text()


def _hold(home: Home) -> None:
    home.prepare()
    children: list[Child] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            for name, start in {"postgres": _start_postgres, "valkey": _start_valkey}.items():
                if (home.root / f"wanted-{name}").exists() and not (home.root / f"ready-{name}").exists():
                    _answer(home, name, start(home, children))
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for child in children:
            child.kill()
        postgres_files.forget(home)
        shutil.rmtree(home.root, ignore_errors=True)


def _start_postgres(home: Home, children: list[Child]) -> str:
    postgres = Postgres.of(home, is_durable=False)
    _start(Child(postgres.service(), home.logs), children)
    postgres.create_database(TEMPLATE)
    environment = dict(os.environ) | {"DATABASE_URL": postgres.url(TEMPLATE)}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0"],
        env=environment,
        cwd=PROJECT,
        check=False,
    )
    return postgres.url()


def _start_valkey(home: Home, children: list[Child]) -> str:
    valkey = Valkey.of(home)
    _start(Child(valkey.service(), home.logs), children)
    return valkey.url


def _start(child: Child, children: list[Child]) -> None:
    children.append(child)
    child.start()
    while not child.is_ready():
        child.watch()
        time.sleep(0.05)


def _answer(home: Home, name: str, url: str) -> None:
    fresh = home.root / f"answer-{name}"
    fresh.write_text(url)
    fresh.replace(home.root / f"ready-{name}")


if __name__ == "__main__":
    _hold(Home(Path(sys.argv[1])))
