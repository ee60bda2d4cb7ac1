"""``python -m benchmarks.value``: shares found of planted wrong labels, false alarms, and the cost of exact values.

Wrong labels are drawn uniformly among the other classes, in all parts of a split alike: accuracy is measured against
labels of which as many are wrong.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from rich.progress import track
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from benchmarks import pages
from curation.core import removal, valuation
from curation.core.arrays import Float32Array, IntArray, Scaler
from curation.core.removal import Order, Runs, Share

SETS = {"digits": load_digits, "tumours": load_breast_cancer, "wines": load_wine}
WRONG = (0.0, 0.1, 0.2, 0.3)
TENTH = removal.FRACTIONS.index(0.1)
N_SPLITS, N_NULL = 20, 150
N_RECORDS, N_FEATURES, N_JUDGES = 1_000_000, 256, 64
Labels = tuple[Float32Array, IntArray]


def main(arguments: Sequence[str]) -> int:
    """Print, and write, the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.value", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="drawings of the wrong labels of each set")
    parser.add_argument("--null", type=int, default=20, help="sets without a harmful label, of each kind")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/value.md")
    given = parser.parse_args(arguments)
    cells = [(name, wrong) for name in SETS for wrong in WRONG]
    found = [
        [name, f"{wrong:.0%}", *_found([_measured(_planted(name, wrong, seed), seed) for seed in range(given.seeds)])]
        for name, wrong in track(cells, description="planted")
    ]
    alarms = [
        [name, *_alarms(_measured(draw(seed), seed) for seed in track(range(given.null), description=name))]
        for name, draw in (("two kinds that overlap", _overlapping), ("labels that are noise", _noise))
    ]
    page = _page(pages.command("value", arguments), given.seeds, found, alarms)
    pages.keep("value", page, is_written=given.write)
    return 0


def _planted(name: str, wrong: float, seed: int) -> Labels:
    X, y = SETS[name](return_X_y=True)
    rng, n_classes = np.random.default_rng(seed), int(y.max()) + 1
    is_wrong = rng.random(len(y)) < wrong
    y[is_wrong] = (y[is_wrong] + rng.integers(1, n_classes, is_wrong.sum())) % n_classes
    X = X.astype(np.float32)
    return Scaler.of(X)(X), y.astype(np.int64)


def _overlapping(seed: int) -> Labels:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N_NULL, 5), dtype=np.float32)
    return X, (X[:, 0] + 0.5 * rng.standard_normal(N_NULL) > 0).astype(np.int64)


def _noise(seed: int) -> Labels:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N_NULL, 5), dtype=np.float32), rng.integers(0, 2, N_NULL)


def _measured(given: Labels, seed: int) -> Runs:
    X, y = given
    return removal.measure(X, y, int(y.max()) + 1, n_splits=N_SPLITS, seed=seed)


def _found(runs: Sequence[Runs]) -> list[str]:
    gain = 100 * np.array([one.against_random(Order.WORST, TENTH).mean for one in runs])
    return [
        _shares(runs, removal.harmful),
        _shares(runs, removal.useless),
        _shares(runs, lambda one: removal.useless(one, order=Order.RANDOM)),
        f"{gain.mean():+.1f} ± {gain.std(ddof=1) / np.sqrt(len(gain)):.1f}",
    ]


def _shares(runs: Sequence[Runs], of: Callable[[Runs], Share]) -> str:
    """Return in how many a share is shown, and its median with those of its ends."""
    shown = [share for share in map(of, runs) if share.is_shown]
    if not shown:
        return "not shown"
    share, low, high = np.median([(one.share, one.low, one.high) for one in shown], axis=0)
    return f"{share:.0%} ({low:.0%} to {high:.0%}), shown in {len(shown)} of {len(runs)}"


def _alarms(runs: Iterable[Runs]) -> list[str]:
    shown = [removal.harmful(one).is_shown for one in runs]
    return [str(sum(shown)), str(len(shown))]


def _cost() -> tuple[float, float]:
    """Return CPU seconds per judge for a million records, and how far the sum is off."""
    rng = np.random.default_rng(0)
    X, X_valid = (rng.standard_normal((n, N_FEATURES), dtype=np.float32) for n in (N_RECORDS, N_JUDGES))
    y, y_valid = (rng.integers(0, 10, n) for n in (N_RECORDS, N_JUDGES))
    start = time.process_time()
    found = valuation.knn_shapley(X, y, X_valid, y_valid)
    return (time.process_time() - start) / N_JUDGES, abs(float(found.values.sum()) - found.whole)


def _page(command: str, n_seeds: int, found: list[list[str]], alarms: list[list[str]]) -> str:
    cost, off = _cost()
    return "\n".join(
        [
            "# What labels are worth",
            "",
            f"{command}: {N_SPLITS} splits each, margin {removal.MARGIN:.0%} of accuracy.",
            "",
            "## Planted wrong labels",
            "",
            f"Medians over {n_seeds} drawings of the wrong labels where shown; 95 % intervals. Last column: points of",
            "accuracy, against labels of which as many are wrong, by removing the worst tenth less a random tenth.",
            "",
            *pages.table(["set", "wrong", "harmful", "useless", "useless at random", "worst less random tenth"], found),
            "",
            "## False alarms",
            "",
            f"{N_NULL} records, five features, no label wrong, or none that anything could be learnt from.",
            "",
            *pages.table(["labels", "harmful share shown", "of"], alarms),
            "",
            "## Cost",
            "",
            f"Exact values of {N_RECORDS:,} records of {N_FEATURES} features: {cost:.3f} CPU seconds per judging",
            f"record, so {1000 * cost:.0f} for 1,000 (target 60; measured on {N_JUDGES}).",
            f"Values sum to the whole within {off:.0e}.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
