"""``python -m benchmarks.drift``: false alarms in quiet watches, and batches until each planted shift is caught.

Each watch has a reference of its own. Shifts begin after quiet batches, the last of which is pooled with the first
shifted one, and come in several strengths: a shift too small for one batch takes more of them, or is never told.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from itertools import chain, repeat

import numpy as np
from rich.progress import track

from benchmarks import pages
from benchmarks.drift.world import N_BATCH, N_REFERENCE, SHIFTS, USUAL, WINTER, Make, World, verdicts
from curation.core.arrays import IntArray
from curation.core.drift import Verdict

N_QUIET, N_SHIFTED, WITHIN = 3, 10, 2
SMALLER = {
    "mean, by half a standard deviation": Make(shift=0.5),
    "mean, by a quarter": Make(shift=0.25),
    "class shares, an eighth moves": Make(shares=(0.275, 0.3, 0.2, 0.225)),
    "new cluster, 5 %": Make(new=0.05),
    "new cluster, 2 %": Make(new=0.02),
    "a model less sure, twice as flat": Make(doubt=2.0),
}
"""Shifts that nothing is promised of."""


def main(arguments: Sequence[str]) -> int:
    """Print, and write, the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--watches", type=int, default=250, help="quiet watches, and as many of a known season")
    parser.add_argument("--batches", type=int, default=20, help="batches of a watch")
    parser.add_argument("--seeds", type=int, default=100, help="watches of each shift")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/drift.md")
    given = parser.parse_args(arguments)
    quiet = [
        list(watched(seed, [USUAL] * given.batches, is_known=False))
        for seed in track(range(given.watches), description="quiet")
    ]
    winter = [
        list(watched(seed, [WINTER] * given.batches, is_known=True))
        for seed in track(range(given.watches), description="known season")
    ]
    delays = {
        name: [caught_after(seed, make) for seed in range(given.seeds)]
        for name, make in track((SHIFTS | SMALLER).items(), description="shifts")
    }
    page = _page(pages.command("drift", arguments), quiet, winter, delays)
    pages.keep("drift", page, is_written=given.write)
    return 0


def watched(seed: int, makes: Iterable[Make], *, is_known: bool) -> Iterable[Verdict]:
    """Yield the verdicts on a watch of batches of such makes, the season known or not."""
    world = World(seed)
    usual, seasons = world.reference(), {"winter": world.reference(WINTER)} if is_known else {}
    return verdicts(usual, (world.draw(make) for make in makes), seasons)


def caught_after(seed: int, make: Make) -> int:
    """Return in which batch of a shift the first alarm is raised; one more than were watched if in none."""
    told = watched(seed, chain(repeat(USUAL, N_QUIET), repeat(make, N_SHIFTED)), is_known=False)
    alarms = [number for number, verdict in enumerate(told, start=1 - N_QUIET) if number > 0 and verdict.is_alarm]
    return alarms[0] if alarms else N_SHIFTED + 1


def _page(
    command: str, quiet: Sequence[list[Verdict]], winter: Sequence[list[Verdict]], delays: dict[str, list[int]]
) -> str:
    n_seeds = len(next(iter(delays.values())))
    return "\n".join(
        [
            "# Drift",
            "",
            f"{command}: references of {N_REFERENCE:,} records,",
            f"batches of {N_BATCH}, ten features, four classes, each watch with a world and a reference of its own.",
            "",
            "## False alarms",
            "",
            *pages.table(
                ["watches", "batches", "alarms", "share (target 1 %)"],
                [["as usual", *_alarms(quiet)], ["a season that is known", *_alarms(winter)]],
            ),
            "",
            f"Errors over {len(quiet)} watches each, as batches of a watch share a reference. The known season was",
            f"named in {_named(winter):.1%} of its batches.",
            "",
            "## Batches until a shift is caught",
            "",
            f"{n_seeds} seeds each; the shift begins after {N_QUIET} quiet batches and lasts {N_SHIFTED}.",
            "",
            *pages.table(
                ["shift", "in the first batch", f"within {WITHIN} (target 95 %)", "median", "slowest", "never"],
                [[name, *_delay(np.array(delays[name]))] for name in SHIFTS],
            ),
            "",
            "Smaller ones, of which nothing is promised:",
            "",
            *pages.table(
                ["shift", "in the first batch", f"within {WITHIN}", "median", "slowest", "never"],
                [[name, *_delay(np.array(delays[name]))] for name in SMALLER],
            ),
            "",
        ]
    )


def _alarms(watches: Sequence[list[Verdict]]) -> list[str]:
    told = np.array([[verdict.is_alarm for verdict in one] for one in watches])  # (watches, batches)
    error = told.mean(axis=1).std(ddof=1) / np.sqrt(len(told))
    return [f"{told.size:,}", str(told.sum()), f"{told.mean():.2%} ± {error:.2%}"]


def _named(watches: Sequence[list[Verdict]]) -> float:
    return float(np.mean([verdict.season == "winter" for one in watches for verdict in one]))


def _delay(batches: IntArray) -> list[str]:
    is_caught = batches <= N_SHIFTED
    slowest = str(batches[is_caught].max()) if is_caught.any() else "-"
    median = f"{np.median(batches):g}" if np.median(batches) <= N_SHIFTED else f"above {N_SHIFTED}"
    shares = f"{(batches == 1).mean():.0%}", f"{(batches <= WITHIN).mean():.0%}"
    return [*shares, median, slowest, str((~is_caught).sum())]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
