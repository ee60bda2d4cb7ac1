"""Pages of measurements: each names the command that makes it whole, and is printed as it is written."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "measurements"


def command(name: str, arguments: Sequence[str], data: Path | None = None) -> str:
    """Return the call that makes a page, for the page itself; of a folder of pools its name is enough."""
    words = [data.name if data and word == str(data) else word for word in arguments]
    return f"`{' '.join([f'python -m benchmarks.{name}', *words])}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return [lines[0], "|---" * len(head) + "|", *lines[1:]]


def keep(name: str, page: str, *, data: Path | None = None, is_written: bool) -> None:
    """Print a page, and write ``docs/measurements/NAME[-DATA].md`` where asked to."""
    sys.stdout.write(page)
    if is_written:
        (FOLDER / f"{name}{f'-{data.name}' if data else ''}.md").write_text(page, encoding="utf-8")
