"""``run.json``: what runs now, for whoever wants to find, watch or clean it up."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded.processes import ProcessIdentity


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run: its state, its URLs (secrets included, so the file is the owner's only) and its processes."""

    state: str
    supervisor: ProcessIdentity
    web_url: str
    database_url: str
    redis_url: str
    processes: Mapping[str, ProcessIdentity] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether the service is up and its supervisor alive."""
        return self.state == "ready" and self.supervisor.is_running

    def write(self, path: Path) -> None:
        """Replace the file in one step."""
        document = {name: getattr(self, name) for name in ("state", "web_url", "database_url", "redis_url")}
        document["supervisor"] = _plain(self.supervisor)
        document["processes"] = {name: _plain(identity) for name, identity in self.processes.items()}
        fresh = path.with_suffix(".new")
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(document, file, indent=2)
        fresh.replace(path)


def read(path: Path) -> RunInfo | None:
    """Return what the file says, or None when there is none or it cannot be read as such."""
    try:
        document = json.loads(path.read_text())
        return RunInfo(
            document["state"],
            _identity(document["supervisor"]),
            document["web_url"],
            document["database_url"],
            document["redis_url"],
            {name: _identity(plain) for name, plain in document["processes"].items()},
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _plain(identity: ProcessIdentity) -> dict[str, Any]:
    return {"pid": identity.pid, "started": identity.started}


def _identity(plain: Mapping[str, Any]) -> ProcessIdentity:
    return ProcessIdentity(int(plain["pid"]), str(plain["started"]))
