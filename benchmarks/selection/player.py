"""``python -m benchmarks.selection.player STATE``: play the cells given on standard input, one JSON object a line.

It needs NumPy, SciPy, scikit-learn and our core only, so that it also runs in the environment of the peers' packages.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from benchmarks.selection import cells, mess, ours, pools
from benchmarks.selection.cells import ANCHORED, CEILING, ENGINE, Cell, Played
from benchmarks.selection.mess import Messy
from benchmarks.selection.play import Bench, Chooser


def chooser(arm: str, pool: Messy) -> Chooser:
    """Return the chooser of an arm on a pool; the peers' are imported only when asked for."""
    if arm == CEILING:
        return ours.all_knowing(pool)
    if ":" in arm:
        from benchmarks.selection import peers

        return peers.chooser(arm)
    return ours.chooser(ENGINE if arm == ANCHORED else arm)


def play(wanted: list[Cell], folder: Path | None) -> Iterator[Played]:
    """Play cells in order; neighbours share their prepared pool."""
    place, bench = None, None
    for cell in wanted:
        if bench is None or cells.same_place(cell) != place:
            place = cells.same_place(cell)
            clean = pools.load(cell.pool, cell.seed, folder)
            bench = Bench(mess.make(clean, mess.SETTINGS[cell.setting], cell.seed), cell.seed)
        outcome = bench.play(chooser(cell.arm, bench.pool), is_cleaned=cell.is_cleaned, has_anchor=cell.arm == ANCHORED)
        yield Played(cell, outcome)


def main(arguments: list[str]) -> int:
    """Play and append to the state file; one dot of progress a cell goes to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args(arguments)
    wanted = [Cell(**json.loads(line)) for line in sys.stdin if line.strip()]
    warnings.simplefilter("ignore")
    for played in play(wanted, options.data):
        cells.append(options.state, played)
        sys.stdout.write(".\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
