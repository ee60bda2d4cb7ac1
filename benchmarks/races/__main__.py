"""Run the races: ``make bench-races``, or ``python -m benchmarks.races --decisions 1000000 --write``.

Worlds of some ten thousand decisions follow each other; after each the tables are checked. What is done is kept in a
file (``--state``), so that an interrupted run goes on where it was: press Ctrl-C, and start it again.
"""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.market import database
from benchmarks.races.tally import Tally

MEASUREMENTS = Path(__file__).resolve().parents[2] / "docs" / "measurements"
N_SELLERS = 12


def main() -> int:
    """Race until enough is decided; return 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.races", description=__doc__)
    parser.add_argument("--decisions", type=int, default=20_000, help="how many offers to decide (default 20,000)")
    parser.add_argument("--batches", type=int, default=2500, help="batches in a world (default 2,500)")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long a world is raced for (default 45)")
    parser.add_argument("--deciders", type=int, default=4, help="processes that decide (default 4)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="file to keep what is done in, and to go on from")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/races.*")
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # every nudge is refused: there is no broker
    tally = Tally.load(given.state, given.seed)
    with database.running():
        import django

        django.setup()
        try:
            _race(given, tally)
        except KeyboardInterrupt:
            print("Interrupted; what is done is kept." if given.state else "Interrupted.")
    tally.show(Console())
    if given.write:
        tally.write(MEASUREMENTS)
    return 1 if tally.findings else 0


def _race(given: argparse.Namespace, tally: Tally) -> None:
    from benchmarks.races import audit, crowd, world

    world.make_sellers(N_SELLERS)
    world.keep_everybody_active()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as progress:
        bar = progress.add_task("decisions", total=given.decisions, completed=tally.n_decisions)
        while tally.n_decisions < given.decisions and not tally.findings:
            started = time.monotonic()
            world.open_market(given.batches)
            plan = crowd.Plan(
                n_deciders=given.deciders,
                seconds=given.seconds,
                statements_per_death=3000.0,
                seconds_per_kill=2.0,
                n_lapsing=100,
                seed=tally.next_seed(),
            )
            with tempfile.TemporaryDirectory() as folder:
                story = crowd.run(plan, Path(folder), tolerate=tally.is_deadlock)
            tally.add(
                audit.decisions(),
                story,
                audit.findings(story),
                time.monotonic() - started,
            )
            tally.save(given.state)
            progress.update(bar, completed=tally.n_decisions)


if __name__ == "__main__":
    sys.exit(main())
