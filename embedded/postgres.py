"""PostgreSQL 18 as a child process: local socket only, so no port is taken and no other user gets in."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from embedded import processes
from embedded.home import Home
from embedded.postgres_files import PostgresFiles, locate
from embedded.processes import ProcessIdentity
from embedded.server_user import ServerUser, server_user
from embedded.service import Service

ROLE = "labelyard"
MODEST = {"shared_buffers": "64MB", "max_connections": "120", "max_wal_size": "512MB", "jit": "off"}
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A cluster of this installation. It is durable unless it serves tests."""

    files: PostgresFiles
    user: ServerUser | None
    is_durable: bool = True

    @classmethod
    def of(cls, home: Home, *, is_durable: bool = True) -> "Postgres":
        """Return the home's cluster, its folders made."""
        user = server_user(os.geteuid())
        return cls(locate(home, user), user, is_durable)

    def url(self, database: str = ROLE) -> str:
        """Return the URL of a database, for Django and for psql alike."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.files.sockets), safe='/')}"

    def service(self) -> Service:
        """Return the server as the supervisor runs it."""
        return Service(
            name="postgres",
            command=self._command(),
            is_well=self.is_ready,
            before_start=self.prepare,
            stop_signal=signal.SIGINT,  # fast shutdown: clients are cut off, everything is written
            stop_timeout_s=15.0,
            user=self.user,
        )

    def prepare(self) -> None:
        """Create the cluster once, and clear away the pid file and the server of a killed predecessor."""
        if not (self.files.data / "PG_VERSION").exists():
            self._create()
        owner = running_postmaster(self.files.data)
        if owner is not None:
            processes.stop(owner, signal.SIGINT, timeout_s=15.0)
        (self.files.data / "postmaster.pid").unlink(missing_ok=True)

    def is_ready(self) -> bool:
        """Return whether the server takes connections."""
        command = [
            self._program("pg_isready"),
            "-q",
            "-t",
            "2",
            "-h",
            str(self.files.sockets),
            "-U",
            ROLE,
            "-d",
            "postgres",
        ]
        return subprocess.run(command, check=False).returncode == 0

    def create_database(self, name: str = ROLE) -> None:
        """Create a database unless it exists."""
        if name not in self.sql("postgres", "SELECT datname FROM pg_database").splitlines():
            self.sql("postgres", f'CREATE DATABASE "{name}"')

    def sql(self, database: str, statement: str) -> str:
        """Run one statement and return its bare output."""
        command = [self._program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(database)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def _command(self) -> Sequence[str]:
        settings = MODEST | ({} if self.is_durable else FOR_TESTS)
        settings |= {"listen_addresses": "", "unix_socket_directories": str(self.files.sockets)}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", str(self.files.data), *flags]

    def _create(self) -> None:
        """Run initdb beside the final place and move it there: an interrupted one is never mistaken for a cluster."""
        fresh = self.files.data.with_name("data.new")
        for leftover in (fresh, self.files.data):
            shutil.rmtree(leftover, ignore_errors=True)
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        durability = [] if self.is_durable else ["--no-sync"]
        command = [self._program("initdb"), "-D", str(fresh), "-U", ROLE, "--auth=trust", *locale, *durability]
        uid, gid = (self.user.uid, self.user.gid) if self.user else (None, None)
        result = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=[] if self.user else None,
        )
        if result.returncode:
            raise RuntimeError(f"initdb failed:\n{result.stdout}{result.stderr}")
        fresh.rename(self.files.data)

    def _program(self, name: str) -> str:
        return str(self.files.programs / name)


def running_postmaster(data: Path) -> ProcessIdentity | None:
    """Return the server that owns a data folder; None when the pid file is stale or its id is a stranger's."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    command = processes.command_of(pid)
    return ProcessIdentity.of(pid) if "postgres" in command and str(data) in command else None
