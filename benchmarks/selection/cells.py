"""Which cells there are to play, and the state file of those played: one JSON line each, so a run can be resumed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.selection.play import Outcome

REFERENCE, ENGINE, ANCHORED, RANDOM = "uncertainty_herding", "auto", "auto+anchor", "random"
CEILING = "never junk"
"""The reference, told which records are junk: what no way of avoiding it can pass by much."""
_LONGEST_LINE = 65_536
HEADLINE = (ENGINE, ANCHORED, REFERENCE, RANDOM, CEILING)


@dataclass(frozen=True, slots=True)
class Cell:
    """One run: arms of the same pool, setting and seed are paired."""

    pool: str
    setting: str
    seed: int
    arm: str
    is_cleaned: bool


@dataclass(frozen=True, slots=True)
class Played:
    """A cell and what came of it."""

    cell: Cell
    outcome: Outcome


def planned(
    pools: Sequence[str], settings: Sequence[str], arms: Sequence[str], seeds: range, *, cleaning: Sequence[bool]
) -> Iterator[Cell]:
    """Yield cells such that pools are prepared once: pool, setting and seed change slowest."""
    for seed in seeds:
        for setting in settings:
            for pool in pools:
                for is_cleaned in cleaning:
                    for arm in arms:
                        yield Cell(pool, setting, seed, arm, is_cleaned)


def read(path: Path) -> list[Played]:
    """Return what was played so far; a last line cut off by an interruption is left out."""
    if not path.exists():
        return []
    played = []
    lines = path.read_text(encoding="utf-8").split("\n")
    for line in lines[:-1]:
        given = json.loads(line)
        played.append(Played(Cell(**given["cell"]), Outcome(**given["outcome"])))
    return played


def append(path: Path, played: Played) -> None:
    """Add one cell at the end; a cut-off last line is removed first."""
    line = json.dumps({"cell": asdict(played.cell), "outcome": asdict(played.outcome)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        size = file.seek(0, 2)
        start = max(0, size - _LONGEST_LINE)
        file.seek(start)
        file.truncate(start + file.read().rfind(b"\n") + 1)
        file.write(line.encode() + b"\n")


def missing(cells: Iterator[Cell], played: Sequence[Played]) -> list[Cell]:
    """Return the cells not played yet, each once, in order."""
    done = {one.cell for one in played}
    return [cell for cell in dict.fromkeys(cells) if cell not in done]


def same_place(cell: Cell) -> Cell:
    """Return what cells that use the same prepared pool have in common."""
    return replace(cell, arm="", is_cleaned=False)
