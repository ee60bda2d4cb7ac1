"""PostgreSQL is restarted and Valkey wiped and taken away under load: everything goes on by itself."""

import os
import signal
import subprocess
import sys
import time

from benchmarks.market import database
from embedded.child import Child
from embedded.home import PROJECT, Home
from embedded.postgres import Postgres
from embedded.valkey import Valkey


def test_a_database_that_stops_and_comes_back_under_load_loses_and_doubles_nothing(tmp_path):
    """A crowd decides while its PostgreSQL is first stopped in order, then killed; the rest is checked and finished."""
    home = Home(tmp_path / "home")
    home.prepare()
    postgres, valkey = Postgres.of(home, is_durable=True), Valkey.of(home)
    servers = [Child(postgres.service(), home.logs), Child(valkey.service(), home.logs)]
    environment = database.environment(postgres, home) | {"REDIS_URL": valkey.url, "CROWD_FOLDER": str(tmp_path)}
    try:
        for server in servers:
            start(server)
        postgres.create_database()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--no-input", "-v0"],
            cwd=PROJECT,
            check=True,
            env=os.environ | environment,
        )
        crowd = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.restarted"],
            cwd=PROJECT,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert crowd.stdout.readline() == "started\n"
        make_trouble(*servers)  # not in a thread: the servers end with the thread that starts them
        said = crowd.stdout.read()
        assert crowd.wait(60) == 0, said
        assert said.startswith("clean"), said
    finally:
        for server in servers:
            server.kill()


def make_trouble(postgres, valkey):
    time.sleep(2)
    postgres.ask_to_stop()
    postgres.stop()
    start(postgres)
    time.sleep(2)
    valkey.kill()
    os.kill(postgres.identity.pid, signal.SIGKILL)
    postgres.kill()
    start(postgres)


def start(server):
    server.start()
    deadline = time.monotonic() + 60
    while not server.is_ready():
        assert time.monotonic() < deadline, server.log.read_text()[-2000:]
        server.watch()
        time.sleep(0.05)
