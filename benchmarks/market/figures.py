"""What was measured, and its rows beside what is known and aimed at."""

from dataclasses import dataclass

from benchmarks.market.report import Row


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, milliseconds and rates per second, as the names say; ``accepts`` by number of processes."""

    due_s: float
    due_fast_s: float
    by_set: float
    chunked: float
    row_by_row: float
    accepts: dict[int, float]
    n_statements: int
    statement_ms: float
    commits: float
    idle_ms: float
    tick_s: float
    ranking_ms: float

    @property
    def best(self) -> float:
        """The most accepts per second."""
        return max(self.accepts.values())

    @property
    def idle_share(self) -> float:
        """The share of a core that an idle market costs at the default pace."""
        return self.idle_ms / 1e3 / self.tick_s


def rows_of(f: Figures, n_live: int) -> list[Row]:
    """Return the table."""
    return [
        _row("due -> next offer, p95, 1 s tick", f.due_s, 1.2, "{:.2f} s", "1.0 s", "<= 1.2 s", "0.95 s, the tick"),
        _row("due -> next offer, p95, 0.25 s tick", f.due_fast_s, 0.3, "{:.2f} s", "-", "<= 0.3 s", "0.24 s, the tick"),
        Row(
            "expired and offered on per second",
            f"{f.by_set:,.0f}",
            "2,300-5,000",
            ">= 5,000",
            f"{f.commits:.0f} durable commits/s of one writer",
            f.by_set >= 5000,
        ),
        Row("the same, ORM in chunks of 500", f"{f.chunked:,.0f}", "447", "-", "", None),
        Row("the same, ORM row by row", f"{f.row_by_row:,.0f}", "26", "-", "", None),
        _backlog(n_live, f.by_set),
        Row(
            "accepts per second through the service",
            f"{f.best:,.0f} ({', '.join(f'{n} processes {rate:,.0f}' for n, rate in f.accepts.items())})",
            "75-250",
            ">= 300",
            f"{f.n_statements} statements of {f.statement_ms:.2f} ms and a commit",
            f.best >= 300,
        ),
        Row(
            f"idle tick with {n_live:,} live offers",
            f"{f.idle_ms:.2f} ms every {f.tick_s} s, {f.idle_share:.2%} of a core",
            "1.2 ms",
            "< 0.5 % of a core",
            "one statement",
            f.idle_share < 0.005,
        ),
        _row("ranking 500 candidates with reasons", f.ranking_ms, 5, "{:.1f} ms", "-", "< 5 ms", ""),
    ]


def _row(quantity: str, value: float, most: float, shown: str, known: str, target: str, limit: str) -> Row:
    return Row(quantity, shown.format(value), known, target, limit, value <= most)


def _backlog(n_live: int, per_second: float) -> Row:
    seconds = 100_000 / per_second
    how = "measured" if n_live == 100_000 else f"from {n_live:,}; --full measures it"
    return Row("a backlog of 100,000", f"{seconds:.1f} s ({how})", "20-43 s", "< 25 s", "", seconds < 25)
