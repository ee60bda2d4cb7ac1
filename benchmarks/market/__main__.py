"""Run the benchmark: ``make bench-market``, or ``python -m benchmarks.market [--full]``."""

import argparse
import os
import sys
import time
from pathlib import Path

from benchmarks.market import database
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
    from marketplace.services import offering

    started = time.perf_counter()
    sellers = world.make_sellers(12)
    world.make_jobs(n_live // 1000, 1000)
    world.analyze()
    sweeping.drain()
    world.analyze()
    commits, statement = latency.commits_per_second(), latency.statement_ms()
    idle = sweeping.idle_tick_ms(lambda: (offering.expire(), offering.advance()))
    by_set = sweeping.by_set(n_live)
    world.analyze()
    row_by_row, chunked = sweeping.by_orm(300, 1), sweeping.by_orm(2000, 500)
    statements = deciding.statements_per_accept(sellers)
    accepts = {n: deciding.accepts_per_second(sellers, 1500, n) for n in (1, 2, 4)}
    usual = latency.percentile_s(tick_s=1.0, per_second=100, seconds=10)
    fast = latency.percentile_s(tick_s=0.25, per_second=100, seconds=10)
    best = max(accepts.values())
    ranked = ranking.milliseconds(500)
    rows = [
        _row("due -> next offer, p95, 1 s tick", usual, 1.2, "{:.2f} s", "1.0 s", "<= 1.2 s", "0.95 s, the tick"),
        _row("due -> next offer, p95, 0.25 s tick", fast, 0.3, "{:.2f} s", "-", "<= 0.3 s", "0.24 s, the tick"),
        Row(
            "expired and offered on per second",
            f"{by_set:,.0f}",
            "2,300-5,000",
            ">= 5,000",
            f"{commits:.0f} durable commits/s of one writer",
            by_set >= 5000,
        ),
        Row("the same, ORM in chunks of 500", f"{chunked:,.0f}", "447", "-", "", None),
        Row("the same, ORM row by row", f"{row_by_row:,.0f}", "26", "-", "", None),
        _backlog(n_live, by_set),
        Row(
            "accepts per second through the service",
            f"{best:,.0f} ({', '.join(f'{n} processes {rate:,.0f}' for n, rate in accepts.items())})",
            "75-250",
            ">= 300",
            f"{len(statements)} statements of {statement:.2f} ms and a commit",
            best >= 300,
        ),
        _row(f"idle tick with {n_live:,} live offers", idle, 5, "{:.2f} ms", "1.2 ms", "< 5 ms, 0.5 % of a core", ""),
        _row("ranking 500 candidates with reasons", ranked, 5, "{:.1f} ms", "-", "< 5 ms", ""),
    ]
    return rows, f"{n_live:,} live offers, {time.perf_counter() - started:.0f} s in all."


def _row(quantity: str, value: float, most: float, shown: str, known: str, target: str, limit: str) -> Row:
    return Row(quantity, shown.format(value), known, target, limit, value <= most)


def _backlog(n_live: int, per_second: float) -> Row:
    seconds = 100_000 / per_second
    how = "measured" if n_live == 100_000 else f"from {n_live:,}; --full measures it"
    return Row("a backlog of 100,000", f"{seconds:.1f} s ({how})", "20-43 s", "< 25 s", "", seconds < 25)


if __name__ == "__main__":
    sys.exit(main())
