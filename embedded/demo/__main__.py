"""``python -m embedded.demo``: the closed loop once, on real scans; exit code 0 only if it really completed."""

import argparse
import signal
import sys
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from embedded import clean, postgres_files
from embedded.demo import summary
from embedded.demo.client import ApiError
from embedded.demo.material import Material
from embedded.demo.programs import Programs
from embedded.demo.results import Results
from embedded.demo.run import Demo, Options
from embedded.home import Home


def main(arguments: list[str]) -> int:
    """Run the demo; return the exit code."""
    options = parse(arguments)
    console, outer = console_of(sys.stdout.isatty()), Home.of()
    home = Home(outer.root / "demo")
    if clean.clean(home) != 0:
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us in the background had it ignored
    programs = Programs(home)
    try:
        found, made, page = Demo(programs, options, outer.root / "reports", console).run()
        tell(console, found, made, page)
        if options.keep_running:
            keep_running(console, programs)
        else:
            console.print('To look around in the service afterwards: make demo ARGS="--keep-running"')
    except (RuntimeError, ApiError, httpx.TransportError) as error:
        console.print(f"The demo did not complete: {error}", style="red")
        return 1
    except KeyboardInterrupt:
        console.print("Stopping ...")
        return 130
    finally:
        programs.stop()
        postgres_files.forget(home)
    return 0 if found.is_complete else 1


def console_of(is_terminal: bool) -> Console:
    """Return the console; what is no terminal is wide enough for every line."""
    return (
        Console(highlight=False, soft_wrap=True) if is_terminal else Console(highlight=False, soft_wrap=True, width=160)
    )


def parse(arguments: list[str]) -> Options:
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(prog="make demo ARGS=...", description=__doc__)
    parser.add_argument("--seed", type=int, default=Options.seed, help="of pool, selection and simulated answers")
    parser.add_argument("--rounds", type=int, default=Options.n_rounds, help="rounds of each campaign")
    parser.add_argument("--per-round", type=int, default=Options.n_per_round, help="records a round asks for")
    parser.add_argument("--keep-running", action="store_true", help="leave the service up until Ctrl-C")
    given = parser.parse_args(arguments)
    if min(given.rounds, given.per_round) < 1 or given.seed < 0:
        parser.error("rounds and records per round are at least 1, the seed is not negative")
    return Options(given.seed, given.rounds, given.per_round, given.keep_running)


def tell(console: Console, found: Results, made: Material, page: Path) -> None:
    """Print the outcome: one table, what holds and what does not, and where to look."""
    console.print(outcome_table(found, made))
    for check in summary.checks(found, made.pool):
        sign = "[green]PASS[/]" if check.is_passed else "[red]FAIL[/]"
        console.print(f"{sign} {check.statement} ({check.detail})")
    console.print(
        f"The vendors' answers were simulated; everything else took the production path ({found.elapsed_s:.0f} s)."
    )
    console.print(f"Report: {page}")


def outcome_table(found: Results, made: Material) -> Table:
    """Return the arms side by side, and what labeling everything would have meant."""
    table = Table(title="Outcome", title_justify="left")
    for column in ("", "records", "labeled", "cannot label", "labels right", "junk bought", "spent", "test accuracy"):
        table.add_column(column, justify="right" if column else "left")
    arms = [summary.of_arm(arm, made.pool) for arm in found.arms.values()]
    for arm in arms:
        counts = (arm.n_asked, arm.n_labeled, arm.n_unlabelable)
        ratios = [f"{arm.label_accuracy:.1%}", f"{arm.share(*summary.JUNK):.1%}", f"${arm.spent:,.2f}"]
        last = f"{arm.accuracies[-1]:.1%}" if arm.accuracies else "–"
        table.add_row(arm.name, *map(str, counts), *ratios, last)
    everything = summary.price_of_everything(arms[0], made.pool)
    table.add_row(
        "everything (computed)", str(len(made.pool.X)), "", "", "", "", f"${everything:,.2f}", "", style="dim"
    )
    return table


def keep_running(console: Console, programs: Programs) -> None:
    """Leave the service up until Ctrl-C."""
    info = programs.service_info()
    console.print(f"The service is up at {info.web_url} (API: {info.web_url}/api/docs/). Ctrl-C stops it.")
    console.print(f"The parties' API keys lie in {programs.home.root / 'clients' / 'keys'}.")
    while programs.is_service_up():
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
