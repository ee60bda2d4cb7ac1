"""What all worlds together did and found; kept in a file to go on from, and written as a report."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

TARGETS: Final = {"points": 100_000, "kills": 5_000, "settlements": 1_000_000}


@dataclass(slots=True)
class Tally:
    """Counts so far; ``controls`` says for each safeguard taken away how much the checker found."""

    seed: int = 1
    n_worlds: int = 0
    n_points: int = 0
    n_kills: int = 0
    n_outages: int = 0
    n_operations: int = 0
    n_settlements: int = 0
    settlements_lost: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)
    controls: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None, seed: int) -> "Tally":
        """Return what a file holds, or a new tally."""
        return cls(seed=seed) if path is None or not path.exists() else cls(**json.loads(path.read_text()))

    def save(self, path: Path | None) -> None:
        """Keep what is done, in one step."""
        if path is not None:
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(self), indent=1))
            fresh.replace(path)

    def next_seed(self) -> int:
        """Return the seed of the next world."""
        return self.seed * 1_000_000 + self.n_worlds

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found where nothing may be, and something wherever a safeguard is missing."""
        return not self.findings and not self.settlements_lost and all(self.controls.values())

    def rows(self) -> list[tuple[str, str, str]]:
        """Return quantity, measured, target."""
        missed = [name for name, n in self.controls.items() if not n]
        return [
            ("crash points in process", f"{self.n_points:,}", f"{TARGETS['points']:,}"),
            ("workers killed (kill -9)", f"{self.n_kills:,}", f"{TARGETS['kills']:,}"),
            ("PostgreSQL killed (kill -9) under workers", f"{self.n_outages:,}", ""),
            ("operations with the provider", f"{self.n_operations:,}", ""),
            ("worlds checked", f"{self.n_worlds:,}", ""),
            ("lost, doubled or stuck", f"{len(self.findings):,}", "0"),
            ("random settlements", f"{self.n_settlements:,}", f"{TARGETS['settlements']:,}"),
            ("of these losing or making a micro-unit", f"{self.settlements_lost:,}", "0"),
            (
                "safeguards taken away, and noticed",
                f"{len(self.controls) - len(missed)} of {len(self.controls)}",
                "all",
            ),
            ("time", f"{self.seconds / 60:.1f} min", ""),
        ]

    def show(self, console: Console) -> None:
        """Print the table, and what was found."""
        table = Table(title="Money", title_justify="left")
        for column in ("quantity", "measured", "target"):
            table.add_column(column)
        for row in self.rows():
            table.add_row(*row)
        console.print(table)
        for finding in self.findings[:20]:
            console.print(finding, style="red")
        for name, n_found in self.controls.items():
            console.print(f"{'noticed' if n_found else 'NOT NOTICED'}: {name} ({n_found} findings)")

    def write(self, folder: Path) -> None:
        """Write the report and its numbers."""
        document = asdict(self) | {"n_cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
        (folder / "money.json").write_text(json.dumps(document, indent=1) + "\n")
        lines = [f"| {quantity} | {measured} | {target} |" for quantity, measured, target in self.rows()]
        noticed = [f"- {name}: {n} findings" for name, n in self.controls.items()]
        (folder / "money.md").write_text(_PAGE.format(rows="\n".join(lines), controls="\n".join(noticed)))


_PAGE: Final = """# Money

`make bench-money`: top-ups by card and bank debit, refunds, earnings, payouts and reversals against the stand-in
provider, each fault of its network at 8 % (a 500 that is saved, an answer lost, a request lost, busy, in flight), two
runners on the same operation now and then. Crash points: a death before one of the next 18 statements of a deed. Kills:
three processes side by side, each killed before a random statement and replaced; in other worlds (`--outages`) it is
PostgreSQL that is killed under them, every second or so. After each world the network behaves,
everything comes to its end, and a checker that uses none of the services compares both sides' books: the balance there,
every operation with its object there and its entries here, every balance with its entries, nothing open or on its way.

| quantity | measured | target |
|---|---|---|
{rows}

Safeguards taken away (saved 500s at 40 % then), and what the checker found:

{controls}

## What this is not
Holds and settlements of jobs are raced in [races](races.md); here only their arithmetic is. Disputes are in
`tests/services/marketplace/test_money_back.py`.
"""
