"""``python -m benchmarks.selection``: every strategy, ours and the peers', on clean and messy pools, paired by seed.

Resumable: each run is one line of the state file; interrupted, the next call goes on where it stopped.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.selection import cells, ours, peers, pools, report
from benchmarks.selection.cells import ANCHORED, CEILING, ENGINE, HEADLINE, RANDOM, REFERENCE, Cell
from benchmarks.selection.mess import OTHER_JUNK, USUAL

BESIDE_SEEDS = 10
"""Seeds of chance and of the ceiling, which lie far enough apart from the engine to need no more."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def plan(options: argparse.Namespace, names: Sequence[str]) -> tuple[list[Cell], list[Cell]]:
    """Return our cells and the peers': the headline first, then the table of all."""
    own: list[Cell] = []
    beside = min(options.seeds, BESIDE_SEEDS)
    for setting in USUAL:
        seeds = max(options.seeds, options.dirty_seeds) if setting == "dirty" else options.seeds
        own += cells.planned(names, [setting], (ENGINE, REFERENCE, RANDOM, CEILING), range(beside), cleaning=[True])
        own += cells.planned(names, [setting], (ENGINE, REFERENCE), range(beside, seeds), cleaning=[True])
    few = range(options.table_seeds)
    own += cells.planned(
        names, list(OTHER_JUNK), (ENGINE, REFERENCE, RANDOM, CEILING), range(options.junk_seeds), cleaning=[True]
    )
    own += cells.planned(names, ["foreign60"], [ANCHORED], range(options.seeds), cleaning=[True])
    own += cells.planned(names, list(USUAL), HEADLINE, few, cleaning=[True])
    own += cells.planned(names, list(USUAL), ours.names(), few, cleaning=[True, False])
    theirs = cells.planned(names, list(USUAL), peers.names(), few, cleaning=[True, False])
    return own, list(theirs) if options.peers is not None else []


def play(python: str, wanted: Sequence[Cell], options: argparse.Namespace, progress: Progress, title: str) -> None:
    """Play cells in a process of their own; each that is done moves the bar on."""
    bar = progress.add_task(title, total=len(wanted))
    command = [python, "-m", "benchmarks.selection.player", str(options.state)]
    command += ["--data", str(options.data)] if options.data else []
    root = Path(__file__).parents[2]
    env = os.environ | ONE_THREAD | {"PYTHONPATH": str(root)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True) as player:  # noqa: S603
        assert player.stdin is not None
        assert player.stdout is not None
        player.stdin.writelines(json.dumps(asdict(cell)) + "\n" for cell in wanted)
        player.stdin.close()
        for _ in player.stdout:
            progress.advance(bar)
    if player.returncode:
        raise SystemExit(f"{title} stopped with code {player.returncode}; what was played is kept in {options.state}")


def main(arguments: list[str]) -> int:
    """Play what is missing, then write page, figures and curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="paired seeds of the headline")
    parser.add_argument("--dirty-seeds", type=int, default=2, help="paired seeds of the headline on the dirty setting")
    parser.add_argument("--table-seeds", type=int, default=0, help="seeds of the table of all strategies")
    parser.add_argument("--junk-seeds", type=int, default=0, help="paired seeds of other kinds of junk")
    parser.add_argument("--data", type=Path, help="folder of real pools (NAME.npz: X, y, X_test, y_test)")
    parser.add_argument("--pools", help="only these, comma-separated")
    parser.add_argument("--peers", help="Python of the peers' environment; without it ours are compared alone")
    parser.add_argument("--state", type=Path, default=Path(".labelyard/bench-selection.jsonl"))
    parser.add_argument("--out", type=Path, help="page without its ending; default .labelyard/reports/selection")
    parser.add_argument(
        "--full", action="store_true", help="20 and 40 seeds, a table of all; page in docs/measurements"
    )
    parser.add_argument("--report-only", action="store_true", help="play nothing, report what there is")
    options = parser.parse_args(arguments)
    if options.full:
        options.seeds, options.dirty_seeds, options.table_seeds, options.junk_seeds = 20, 40, 1, 5
    names = [name for name in pools.names(options.data) if name in (options.pools or name).split(",")]
    if not names:
        raise SystemExit(f"--pools {options.pools}: there are {', '.join(pools.names(options.data))}")
    if options.data:
        options.state = options.state.with_name(f"{options.state.stem}-{options.data.name}.jsonl")
    if not options.report_only:
        done = cells.read(options.state)
        own, theirs = ([*cells.missing(iter(some), done)] for some in plan(options, names))
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            play(sys.executable, own, options, progress, "ours")
            if theirs:
                play(str(options.peers), theirs, options, progress, "peers")
    source = f"pools of the folder {options.data.name}" if options.data else "pools bundled or generated"
    folder = Path("docs/measurements" if options.full else ".labelyard/reports")
    out = options.out or folder / f"selection{'-' + options.data.name if options.data else ''}"
    report.write(cells.read(options.state), out, source)
    Console().print(out.with_suffix(".md").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
