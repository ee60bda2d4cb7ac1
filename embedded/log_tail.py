"""What the processes write, line by line on the console, each line named after its process."""

from collections.abc import Callable
from pathlib import Path


class LogTail:
    """Follows log files from where they end now."""

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self._say = say
        self._positions: dict[Path, int] = {}

    def follow(self, log: Path) -> None:
        """Start following a file (again)."""
        self._positions.setdefault(log, log.stat().st_size if log.exists() else 0)

    def show_new(self) -> None:
        """Print the complete lines added since the last look."""
        for log in self._positions:
            for line in self._new_lines(log):
                self._say(f"{log.stem:>10} | {line}")

    def _new_lines(self, log: Path) -> list[str]:
        size = log.stat().st_size if log.exists() else 0
        start = self._positions[log] if size >= self._positions[log] else 0  # the file was put away
        if size == start:
            return []
        with log.open("rb") as file:
            file.seek(start)
            complete, _, rest = file.read(size - start).rpartition(b"\n")
        self._positions[log] = size - len(rest)
        return complete.decode(errors="replace").splitlines()
