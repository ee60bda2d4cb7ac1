"""The rows of the table: what was measured, what is known of others, what was aimed at."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside the known one, the target and the limit."""

    quantity: str
    measured: str
    known: str
    target: str
    limit: str
    is_met: bool | None


def show(rows: list[Row]) -> None:
    """Print the table."""
    table = Table(title="Market")
    for name in ("quantity", "measured", "known", "target", "limit", "met"):
        table.add_column(name)
    for row in rows:
        table.add_row(row.quantity, row.measured, row.known, row.target, row.limit, _met(row))
    Console(width=170).print(table)


def write(rows: list[Row], folder: Path, machine: str, extra: str) -> None:
    """Write market.md and market.json."""
    lines = [
        "# Market",
        "",
        f"`make bench-market`, {machine}. PostgreSQL 18 with its usual durability (fsync and synchronous_commit on).",
        "",
        "| quantity | measured | known | target | limit of this machine | met |",
        "|---|---|---|---|---|---|",
        *(f"| {r.quantity} | {r.measured} | {r.known} | {r.target} | {r.limit} | {_met(r)} |" for r in rows),
        "",
        extra,
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "market.md").write_text("\n".join(lines) + "\n")
    (folder / "market.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def _met(row: Row) -> str:
    return {None: "", True: "yes", False: "no"}[row.is_met]
