"""``python -m benchmarks.portfolio``: learn the warm start from past runs, and play the portfolio against its members.

First, branches: at points along the engine's runs on the bundled pools, what each arm's next batches bring. ``--fit``
prints the table learnt from all of them, to be put into ``curation/core/past_runs.py``. Then whole runs: each pool is
played with a table learnt on the other pools (pools of a folder given with ``--data``: with the one that ships).
Resumable: branches and runs are lines of files under ``--state``.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from pprint import pformat

from rich.progress import track

from benchmarks import pages
from benchmarks.portfolio import branches, page, policies, warm
from benchmarks.portfolio.branches import ARMS, Branch
from benchmarks.selection import cells, mess, ours, pools
from benchmarks.selection.cells import Cell, Played
from benchmarks.selection.play import Bench, Chooser
from curation.core import past_runs, portfolio
from curation.core.past_runs import Table

SETTINGS = ("clean", "dirty", "foreign60")
BRANCHED = ("clean", "dirty", "foreign40", "foreign60")
FIRST_SEED, FIRST_BRANCH = 500, 600
POLICIES = ("portfolio", "portfolio, cold", "portfolio, cold and bold")
OTHERS = ("uncertainty_herding", "entropy", "random")


def main(arguments: Sequence[str]) -> int:
    """Gather, learn, play what is missing, and report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portfolio", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="paired seeds of each whole run")
    parser.add_argument("--branch-seeds", type=int, default=3, help="seeds the table is learnt from")
    parser.add_argument("--data", type=Path, help="folder of real pools (NAME.npz: X, y, X_test, y_test)")
    parser.add_argument("--fit", action="store_true", help="print the table learnt on all bundled pools, and stop")
    parser.add_argument("--state", type=Path, default=Path(".labelyard/bench-portfolio"))
    parser.add_argument("--write", action="store_true", help="write docs/measurements/portfolio[-DATA].md")
    parser.add_argument("--report-only", action="store_true", help="play nothing, report what there is")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    given.state.mkdir(parents=True, exist_ok=True)
    needs_branches = given.fit or (given.data is None and not given.report_only)
    grown = _gather(given.state / "branches.jsonl", given.branch_seeds) if needs_branches else []
    if given.fit:
        sys.stdout.write(f"SHIPPED: Final = {pformat(warm.learn(grown), width=116)}\n")
        return 0
    names = pools.names(given.data)
    runs = _play(given, names, grown)
    told = page.page(runs, [*ARMS], [*OTHERS], [*POLICIES], given.data)
    pages.keep("portfolio", told, data=given.data, is_written=given.write)
    return 0


def _gather(path: Path, n_seeds: int) -> list[Branch]:
    """Return the branches of all bundled pools; those not grown yet are grown and kept."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    grown = [Branch(**json.loads(line)) for line in lines]
    done = {(one.pool, one.setting, one.seed) for one in grown}
    wanted = [
        (name, setting, FIRST_BRANCH + seed)
        for seed in range(n_seeds)
        for setting in BRANCHED
        for name in pools.names(None)
    ]
    for name, setting, seed in track([one for one in wanted if one not in done], description="branches"):
        new = list(branches.grow(name, setting, seed, None))
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(asdict(one)) + "\n" for one in new))
        grown += new
    return [one for one in grown if one.seed < FIRST_BRANCH + n_seeds]


def _play(given: argparse.Namespace, names: Sequence[str], grown: Sequence[Branch]) -> list[Played]:
    """Return all whole runs; those not played yet are played and kept."""
    path = given.state / f"runs{'-' + given.data.name if given.data else ''}.jsonl"
    seeds = range(FIRST_SEED, FIRST_SEED + given.seeds)
    wanted = list(cells.planned(names, SETTINGS, [*ARMS, *OTHERS, *POLICIES], seeds, cleaning=[True]))
    place, bench = None, None
    missing = [] if given.report_only else cells.missing(iter(wanted), cells.read(path))
    for cell in track(missing, description="runs"):
        if bench is None or cells.same_place(cell) != place:
            place = cells.same_place(cell)
            clean = pools.load(cell.pool, cell.seed, given.data)
            bench = Bench(mess.make(clean, mess.SETTINGS[cell.setting], cell.seed), cell.seed)
        cells.append(path, Played(cell, bench.play(_chooser(cell, grown), is_cleaned=True)))
    return [one for one in cells.read(path) if one.cell in set(wanted)]


def _chooser(cell: Cell, grown: Sequence[Branch]) -> Chooser:
    if cell.arm not in POLICIES:
        return ours.chooser(cell.arm)
    table = warm.learn([one for one in grown if one.pool != cell.pool]) if grown else past_runs.SHIPPED
    tables: dict[str, tuple[Table, float]] = {
        "portfolio": (table, portfolio.BOLDNESS),
        "portfolio, cold": (policies.cold(max(table.spread)), portfolio.BOLDNESS),
        "portfolio, cold and bold": (policies.cold(max(table.spread)), 1.0),
    }
    return policies.Player(*tables[cell.arm])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
