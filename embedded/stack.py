"""Which processes make up the service, and the environment they share."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from embedded import ports
from embedded.home import PROJECT, Home
from embedded.postgres import Postgres
from embedded.service import Service
from embedded.stand_in import StandIn
from embedded.valkey import Valkey

USUAL_WEB_PORT = 8000
SINGLE_THREADED = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Stack:
    """The service of one home: data servers, the step between, and the programs that use them.

    A URL found in the environment (DATABASE_URL, REDIS_URL) stands for a server that somebody else runs.
    """

    home: Home
    postgres: Postgres | None
    valkey: Valkey | None
    web_port: int
    environment: Mapping[str, str]
    workers: int = 2
    stand_in: StandIn | None = None

    @classmethod
    def of(cls, home: Home, environment: Mapping[str, str] = os.environ) -> "Stack":
        """Choose servers and ports for a home."""
        postgres = None if environment.get("DATABASE_URL") else Postgres.of(home)
        valkey = None if environment.get("REDIS_URL") else Valkey.of(home)
        web_port = ports.choose(int(environment.get("LABELYARD_PORT") or USUAL_WEB_PORT))
        database_url = postgres.url() if postgres else environment["DATABASE_URL"]
        redis_url = valkey.url if valkey else environment["REDIS_URL"]
        shared = _shared_environment(environment, home, database_url, redis_url)
        stand_in = StandIn.of(environment)
        shared |= stand_in.environment if stand_in else {}
        n_workers = int(environment.get("LABELYARD_WORKERS") or 2)
        return cls(home, postgres, valkey, web_port, shared, n_workers, stand_in)

    @property
    def web_url(self) -> str:
        """Where pages and the API are found."""
        return f"http://{ports.LOOPBACK}:{self.web_port}"

    def data_services(self) -> list[Service]:
        """Return the servers that must answer before anything else starts."""
        servers = [server.service() for server in (self.postgres, self.valkey) if server is not None]
        return servers + ([self.stand_in.service(self.environment, self.web_url)] if self.stand_in else [])

    def programs(self) -> list[Service]:
        """Return web server, workers, beat and the sweeper that needs no broker."""
        workers = [self._worker(number) for number in range(1, self.workers + 1)]
        return [self._web(), *workers, self._program("beat", *_celery("beat"), "--pidfile="), self._sweeper()]

    def migration(self) -> Service:
        """Return the step that brings the database to the current schema."""
        return self._program("migrate", str(PROJECT / "manage.py"), "migrate", "--no-input")

    def create_database(self) -> None:
        """Create the database where the server is ours."""
        if self.postgres is not None:
            self.postgres.create_database()

    def _web(self) -> Service:
        flags = ["--workers=1", "--threads=8", "--worker-class=gthread", "--timeout=60", "--graceful-timeout=5"]
        bind = ["--bind", f"{ports.LOOPBACK}:{self.web_port}", "--no-control-socket", "--log-level=warning"]
        command = [sys.executable, "-m", "gunicorn", *flags, *bind, "config.wsgi:application"]
        return Service("web", command, self.environment, PROJECT, is_well=lambda: ports.speaks_http(self.web_port))

    def _worker(self, number: int) -> Service:
        """Return a worker that is one process: no pool of its own that could outlive it."""
        flags = [
            "--pool=solo",
            "--without-mingle",
            "--without-gossip",
            "--loglevel=INFO",
            f"--hostname=worker-{number}@%h",
        ]
        return self._program(f"worker-{number}", *_celery("worker"), *flags)

    def _sweeper(self) -> Service:
        return self._program("sweeper", str(PROJECT / "manage.py"), "sweep", "--every", "0.5")

    def _program(self, name: str, *arguments: str) -> Service:
        return Service(name, [sys.executable, *arguments], self.environment, PROJECT)


def _celery(command: str) -> list[str]:
    return ["-m", "celery", "--app", "config", command]


def _shared_environment(given: Mapping[str, str], home: Home, database_url: str, redis_url: str) -> dict[str, str]:
    shared = dict(given) | dict.fromkeys(SINGLE_THREADED, "1")
    shared |= {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "LABELYARD_HOME": str(home.root)}
    shared |= {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1"}
    # Plain http on the loopback interface, where only this machine's users see the totals.
    return shared | {
        name: given.get(name, value) for name, value in (("SECURE_COOKIES", "0"), ("STATUS_PAGE_IS_PUBLIC", "1"))
    }
