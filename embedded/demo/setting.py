"""What all programs of one demo run know: the address, the kind of work, the seed, and where the truth lies."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from embedded.demo.answers import Truth

CLASSES: Final = tuple(str(digit) for digit in range(10))
CURRENCY: Final = "USD"
ACCEPT_WINDOW_S: Final = 3
START_WINDOW_S: Final = 3
START_GRACE_S: Final = 1


@dataclass(frozen=True, slots=True)
class Setting:
    """One run of the demo; written for the client programs to read."""

    base_url: str
    folder: str
    seed: int
    n_rounds: int
    n_per_round: int
    domain: str
    task_type: str = "classification"
    modality: str = "image"
    language: str = "en"

    @property
    def kind(self) -> dict[str, str]:
        """The kind of work that is traded; each run has a domain of its own, so earlier vendors stay out of it."""
        names = ("task_type", "modality", "language", "domain")
        return {name: str(getattr(self, name)) for name in names}

    def path(self, name: str) -> Path:
        """Return a file of the run."""
        return Path(self.folder) / name

    def save(self) -> None:
        """Write the setting into its folder."""
        write_private(self.path("setting.json"), asdict(self))


def load(folder: Path) -> Setting:
    """Return the setting of a folder."""
    return Setting(**json.loads((folder / "setting.json").read_text()))


def write_private(path: Path, document: Any) -> None:
    """Write a JSON file that is its owner's only, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(document, file)
    fresh.replace(path)


def load_truth(setting: Setting) -> dict[str, Truth]:
    """Return what each record shows, by its URI; only the simulated annotators read this."""
    return {uri: Truth(*entry) for uri, entry in json.loads(setting.path("truth.json").read_text()).items()}
