"""``python -m benchmarks.tuning``: tune by replay on labeled records, and see what the whole grid would have found.

Labeled records are drawn at random from messy pools. The grid plays every setup on every split; successive halving
plays a fifth of it. Both are judged by the grid's own means, and by replays on all of the records judged on a test set
that neither saw.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import track

from benchmarks import pages
from benchmarks.selection import mess, pools
from curation.core import replay
from curation.core.arrays import IntArray
from curation.core.replay import Labeled, Setup, Spending, Split
from curation.core.selection import Rule

N_LABELED, BUDGET, ROUND_COST, N_SPLITS = 400, 120, 4.0, 10
MIXES = (
    (Rule("auto", 1.0),),
    (Rule("max_herding", 1.0),),
    (Rule("margin", 1.0),),
    (Rule("auto", 0.8), Rule("margin", 0.2)),
)
BATCHES = (10, 20, 36)
SETUPS = [Setup(rules, batch) for rules in MIXES for batch in BATCHES]
SETTINGS = ("dirty",)


def main(arguments: Sequence[str]) -> int:
    """Print, and write, the table of pools."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--data", type=Path, help="folder of real pools (NAME.npz: X, y, X_test, y_test)")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/tuning[-DATA].md")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    places = [
        (name, setting, seed) for seed in range(given.seeds) for name in pools.names(given.data) for setting in SETTINGS
    ]
    rows = [(place, *_measure(*place, given.data)) for place in track(places, description="tuning")]
    page = _page(rows, pages.command("tuning", arguments, given.data))
    pages.keep("tuning", page, data=given.data, is_written=given.write)
    return 0


def _measure(name: str, setting: str, seed: int, folder: Path | None) -> tuple[Setup, Setup, float, float, float]:
    """Return both choices, how far tuning is behind by the grid and by the test set, and its share of the cost."""
    pool = mess.make(pools.load(name, 800 + seed, folder), mess.SETTINGS[setting], 800 + seed)
    some = np.random.default_rng(seed).choice(len(pool.X), min(N_LABELED, len(pool.X)), replace=False)
    spending = Spending(min(BUDGET, len(some) // 2), ROUND_COST)
    labeled = Labeled(pool.X[some], pool.answer[some], pool.n_classes, n_splits=N_SPLITS, seed=seed)
    tuned = replay.tune(labeled, SETUPS, spending)
    grid = {
        setup: float(np.mean([replay.play(labeled, at, setup, spending) for at in range(N_SPLITS)])) for setup in SETUPS
    }
    best = max(grid, key=lambda setup: grid[setup])
    of_test = {setup: _on_test(pool, some, setup, spending, seed) for setup in {best, tuned.chosen}}
    return (
        tuned.chosen,
        best,
        1 - grid[tuned.chosen] / grid[best],
        1 - of_test[tuned.chosen] / of_test[best],
        tuned.n_rounds / tuned.n_rounds_of_grid,
    )


def _on_test(pool: mess.Messy, some: IntArray, setup: Setup, spending: Spending, seed: int) -> float:
    """Return the score of a setup that chooses among all the labeled records, judged on the test set."""
    n = len(some)
    X = np.concatenate([pool.X[some], pool.X_test])
    labeled = Labeled(X, np.concatenate([pool.answer[some], pool.y_test]), pool.n_classes, n_splits=1, seed=seed)
    labeled.splits = [Split(np.arange(n), np.arange(n, len(X)))]
    return replay.play(labeled, 0, setup, spending)


def _page(rows: Sequence[tuple[tuple[str, str, int], Setup, Setup, float, float, float]], command: str) -> str:
    if len(rows) < 2:
        raise SystemExit("one pool alone has no spread; give more seeds or pools")
    by_grid, by_test = np.array([row[3] for row in rows]), np.array([row[4] for row in rows])
    lines = [
        "# Tuning by replay",
        "",
        f"{command}: {N_LABELED} records of each pool, "
        f"{len(SETUPS)} setups ({len(MIXES)} strategies and mixes by {len(BATCHES)} batch sizes), a budget of {BUDGET} "
        f"records of which a round costs {ROUND_COST:g}, {N_SPLITS} splits. Target: within 2 % of the grid's best at a "
        "fifth of its cost or less.",
        "",
        f"Behind the grid's best by the grid's means: {by_grid.mean():.2%} on average, within 2 % on "
        f"{(by_grid <= 0.02).mean():.0%} of {len(rows)} pools; on a test set that neither saw {by_test.mean():+.2%} ± "
        f"{by_test.std(ddof=1) / np.sqrt(len(rows)):.2%} on average, within 2 % on {(by_test <= 0.02).mean():.0%}. "
        f"Share of the grid's rounds: {max(row[5] for row in rows):.0%} at most.",
        "",
        *pages.table(
            ["pool", "setting", "tuned", "best of the grid", "behind, grid", "behind, test", "cost"],
            [
                [name, setting, chosen.name, best.name, f"{gap:.1%}", f"{on_test:+.1%}", f"{cost:.0%}"]
                for (name, setting, _), chosen, best, gap, on_test, cost in rows
            ],
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
