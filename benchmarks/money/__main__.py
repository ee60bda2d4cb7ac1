"""Crash and kill money: ``make bench-money``, or ``python -m benchmarks.money --points 100000 --kills 5000 --write``.

Worlds of some hundred deaths follow each other; after each both sides' books are compared. What is done is kept in a
file (``--state``), so that an interrupted run goes on where it was: press Ctrl-C, and start it again.
"""

import argparse
import logging
import random
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.market import database
from benchmarks.money.tally import Tally

MEASUREMENTS = Path(__file__).resolve().parents[2] / "docs" / "measurements"
POINTS_A_WORLD, KILLS_A_WORLD, OUTAGES_A_WORLD = 250, 60, 12


def main() -> int:
    """Run until enough has died; return 1 when a cent was lost, doubled or stuck, or a missing safeguard unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.money", description=__doc__)
    parser.add_argument("--points", type=int, default=500, help="crash points in process (default 500)")
    parser.add_argument("--kills", type=int, default=40, help="processes to kill (default 40)")
    parser.add_argument("--outages", type=int, default=0, help="times to kill PostgreSQL (default 0)")
    parser.add_argument("--settlements", type=int, default=1_000_000, help="random settlements (default a million)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="file to keep what is done in, and to go on from")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/money.*")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # every fault is logged, and there are thousands
    tally = Tally.load(given.state, given.seed)
    with database.running() as server:
        import django

        django.setup()
        try:
            _run(given, tally, server)
        except KeyboardInterrupt:
            print("Interrupted; what is done is kept." if given.state else "Interrupted.")
    tally.show(Console())
    if given.write:
        tally.write(MEASUREMENTS)
    return 0 if tally.is_clean else 1


def _run(given: argparse.Namespace, tally: Tally, server: database.Database) -> None:
    from benchmarks.money import controls, outages, rounding, trial

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as progress:
        bars = {
            "points": progress.add_task("crash points", total=given.points, completed=tally.n_points),
            "kills": progress.add_task("kills", total=given.kills, completed=tally.n_kills),
            "outages": progress.add_task("PostgreSQL killed", total=given.outages, completed=tally.n_outages),
            "controls": progress.add_task("safeguards taken away", total=len(controls.ALL)),
        }
        if tally.n_settlements < given.settlements:
            tally.settlements_lost = rounding.lost_micro(given.settlements, given.seed)
            tally.n_settlements = given.settlements
        for name in controls.ALL:
            if name not in tally.controls:
                tally.controls[name] = trial.without(name, tally.seed)
                tally.save(given.state)
            progress.advance(bars["controls"])
        while tally.n_outages < given.outages and not tally.findings:
            started = time.monotonic()
            n_outages = min(OUTAGES_A_WORLD, given.outages - tally.n_outages)
            outages.one(tally, random.Random(tally.next_seed()), server, n_outages)
            tally.seconds += time.monotonic() - started
            tally.save(given.state)
            progress.update(bars["outages"], completed=tally.n_outages)
        while (tally.n_points < given.points or tally.n_kills < given.kills) and not tally.findings:
            started, rng = time.monotonic(), random.Random(tally.next_seed())
            n_points = min(POINTS_A_WORLD, max(0, given.points - tally.n_points))
            n_kills = min(KILLS_A_WORLD, max(0, given.kills - tally.n_kills))
            trial.one(tally, rng, n_points, n_kills)
            tally.seconds += time.monotonic() - started
            tally.save(given.state)
            progress.update(bars["points"], completed=tally.n_points)
            progress.update(bars["kills"], completed=tally.n_kills)


if __name__ == "__main__":
    sys.exit(main())
