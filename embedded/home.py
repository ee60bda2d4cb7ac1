"""The folder in which an installation keeps what it writes: LABELYARD_HOME, or ``.labelyard/`` in the project."""

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one installation."""

    root: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Home":
        """Return the home that an environment names."""
        return cls(Path(environment.get("LABELYARD_HOME") or PROJECT / ".labelyard").resolve())

    @property
    def logs(self) -> Path:
        """Where each process writes its own log file."""
        return self.root / "logs"

    @property
    def run_file(self) -> Path:
        """What is running now: URLs, processes."""
        return self.root / "run.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one supervisor of this home."""
        return self.root / "supervisor.lock"

    @property
    def valkey(self) -> Path:
        """Valkey's working folder."""
        return self.root / "valkey"

    def prepare(self) -> None:
        """Make the folders. Nobody else may look in; only a server that root lends to another user walks through."""
        for folder in (self.root, self.logs, self.valkey, self.root / "static"):
            folder.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)


def package_folder(name: str) -> Path:
    """Return the folder of an installed package without running any of its code."""
    specification = importlib.util.find_spec(name)
    if specification is None or specification.origin is None:
        raise RuntimeError(f"The package {name} is not installed: run `make` in {PROJECT}.")
    return Path(specification.origin).parent
