"""The sum over all worlds: decisions by kind, deaths, what was found; kept in a file and written as a report."""

import json
import os
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.races.story import Story


@dataclass(slots=True)
class Tally:
    """What has been raced so far. ``refused`` counts answers to those who came too late, by code."""

    seed: int = 1
    n_worlds: int = 0
    seconds: float = 0.0
    n_deaths: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    deadlocks: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path | None, seed: int) -> "Tally":
        """Return what a file holds, or a new tally."""
        if path is None or not path.exists():
            return cls(seed=seed)
        kept: dict[str, Any] = json.loads(path.read_text())
        return cls(**kept | {name: Counter(kept[name]) for name in ("decisions", "refused")})

    def is_deadlock(self, error: str) -> bool:
        """Keep a deadlock for the report: the database rolled one request back whole, which loses no decision."""
        if "deadlock detected" not in error:
            return False
        self.deadlocks.append(error)
        return True

    @property
    def n_decisions(self) -> int:
        """Offers decided, each by exactly one of those that raced for it."""
        return self.decisions.total()

    def next_seed(self) -> int:
        """Return the seed of the next world."""
        return self.seed * 1_000_000 + self.n_worlds

    def add(self, decisions: Counter[str], story: Story, findings: list[str], seconds: float) -> None:
        """Take a world in."""
        self.decisions += decisions
        self.refused += Counter(
            {k.removeprefix("refused "): n for k, n in story.told.items() if k.startswith("refused")}
        )
        self.n_deaths += story.n_deaths
        self.findings += findings
        self.n_worlds += 1
        self.seconds += seconds

    def save(self, path: Path | None) -> None:
        """Keep it, whole or not at all."""
        if path is not None:
            fresh = path.with_suffix(".new")
            kept = {column.name: getattr(self, column.name) for column in fields(self)}
            fresh.write_text(json.dumps(kept, indent=1) + "\n")
            fresh.replace(path)

    def rows(self) -> list[tuple[str, str]]:
        """Return the report, figure by figure."""
        refused = ", ".join(f"{code} {n:,}" for code, n in self.refused.most_common()) or "none"
        return [
            ("decisions", f"{self.n_decisions:,}"),
            *((f"of these {state}", f"{n:,}") for state, n in self.decisions.most_common()),
            ("refused, having come second or too late", refused),
            ("processes killed (kill -9)", f"{self.n_deaths:,}"),
            ("deadlocks (one request rolled back whole, to be sent again)", f"{len(self.deadlocks):,} (target 0)"),
            ("worlds checked", f"{self.n_worlds:,}"),
            ("lost or doubled decisions, violated invariants", f"{len(self.findings):,} (target 0)"),
            ("time, posting and checking included", f"{self.seconds / 60:,.1f} min"),
            ("decisions per second", f"{self.n_decisions / max(self.seconds, 1e-9):,.0f}"),
        ]

    def show(self, console: Console) -> None:
        """Print the report."""
        table = Table("quantity", "measured", title="Races")
        for row in self.rows():
            table.add_row(*row)
        console.print(table)
        for finding in self.findings[:20]:
            console.print(finding, style="red", markup=False)

    def write(self, folder: Path) -> None:
        """Write races.md and races.json."""
        lines = [
            "# Races",
            "",
            f"`make bench-races`, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, seed {self.seed}. "
            "PostgreSQL 18 with its usual durability.",
            "",
            "Deciding processes accept, decline, withdraw and release; two sweepers expire, offer on and rank; no",
            "broker is there. Each process is killed at some statement (`SIGKILL` before it, 3,000 on average) or from",
            "outside, and replaced. A fifth of the batches goes out in waves of two. After each world the tables are",
            "held against invariants 1 to 8, 10, 12 and 13 of the design and what every vendor was told. The rules",
            "that put vendors on probation are off: a busy vendor is rightly asked out of order, and order is checked.",
            "",
            "| quantity | measured |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in self.rows()),
            *(f"\n- {finding}" for finding in self.findings),
        ]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "races.md").write_text("\n".join(lines) + "\n")
        self.save(folder / "races.json")
