"""Run the benchmark: ``make bench-market``, or ``python -m benchmarks.market [--full]``."""

import argparse
import os
import sys
import time
from pathlib import Path

from benchmarks.market import database
from benchmarks.market.figures import Figures, rows_of
from benchmarks.market.report import Row, show, write

MEASUREMENTS = Path(__file__).resolve().parents[2] / "docs" / "measurements"


def main() -> int:
    """Measure, print, write; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.market", description=__doc__)
    parser.add_argument("--full", action="store_true", help="100,000 live offers instead of 20,000")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/market.*")
    given = parser.parse_args()
    with database.running():
        import django

        django.setup()
        rows, extra = _measure(100_000 if given.full else 20_000)
    show(rows)
    print(extra)
    if given.write:
        write(rows, MEASUREMENTS, f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end", extra)
    return 0


def _measure(n_live: int) -> tuple[list[Row], str]:
    from benchmarks.market import deciding, latency, ranking, sweeping, world
    from marketplace.management.commands.sweep import EVERY_S

    started = time.perf_counter()
    sellers = world.make_sellers(12)
    world.make_jobs(n_live // 1000, 1000)
    world.analyze()
    sweeping.drain()
    world.analyze()
    commits, statement = latency.commits_per_second(), latency.statement_ms()
    idle = sweeping.idle_tick_ms()
    by_set = sweeping.by_set(n_live)
    world.analyze()
    row_by_row, chunked = sweeping.by_orm(300, 1), sweeping.by_orm(2000, 500)
    statements = deciding.statements_per_accept(sellers)
    accepts = {n: deciding.accepts_per_second(sellers, 1500, n) for n in (1, 2, 4)}
    usual = latency.percentile_s(tick_s=1.0, per_second=100, seconds=10)
    fast = latency.percentile_s(tick_s=0.25, per_second=100, seconds=10)
    ranked = ranking.milliseconds(500)
    figures = Figures(
        usual, fast, by_set, chunked, row_by_row, accepts, len(statements), statement, commits, idle, EVERY_S, ranked
    )
    return rows_of(figures, n_live), f"{n_live:,} live offers, {time.perf_counter() - started:.0f} s in all."


if __name__ == "__main__":
    sys.exit(main())
