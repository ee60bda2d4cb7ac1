"""``python -m benchmarks.transfer``: do records our proxy chose help other models, and is usefulness the data's?

Each figure is over paired seeds: the same pool, the same number of records asked, chosen by the engine or at random.
Target models are trained on the answers as they came, wrong ones included. What models agree on is claimed only where
the rank correlation of usefulness is at least a half.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import track

from benchmarks import pages
from benchmarks.selection import pools
from benchmarks.transfer import measure
from benchmarks.transfer.models import MODELS, PROXY
from curation.core.arrays import FloatArray

SETTINGS = ("dirty", "clean")
TO_GAIN, TO_CLAIM = 1.0, 0.5
TARGETS = [name for name in MODELS if name != PROXY]
Gains = dict[tuple[str, str], list[dict[str, float]]]


def main(arguments: Sequence[str]) -> int:
    """Print, and write, both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transfer", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=700, help="the first seed")
    parser.add_argument("--pools", nargs="+", help="some of the pools; default all")
    parser.add_argument("--value-seeds", type=int, default=1, help="seeds of the usefulness of single records")
    parser.add_argument("--data", type=Path, help="folder of real pools (NAME.npz: X, y, X_test, y_test)")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/transfer.md")
    given = parser.parse_args(arguments)
    names = given.pools or pools.names(given.data)
    seeds = range(given.first, given.first + given.seeds)
    cells = [(name, setting) for name in names for setting in SETTINGS]
    gains = {
        (name, setting): [measure.gains(name, setting, seed, given.data) for seed in seeds]
        for name, setting in track(cells, description="target models")
    }
    worth = {
        name: [measure.correlations(measure.usefulness(name, seed, given.data)) for seed in seeds[: given.value_seeds]]
        for name in track(names, description="usefulness")
    }
    command = pages.command("transfer", arguments, given.data)
    page = _page(gains, worth, command, given)
    pages.keep("transfer", page, data=given.data, is_written=given.write)
    return 0


def _page(gains: Gains, worth: dict[str, list[FloatArray]], command: str, given: argparse.Namespace) -> str:
    rows = [[*cell, *(_mean(runs, model) for model in MODELS)] for cell, runs in gains.items()]
    reached = [f"- {setting}: {_reached(gains, setting)}." for setting in SETTINGS]
    return "\n".join(
        [
            "# What the proxy chose, for other models",
            "",
            f"{command}:",
            "accuracy on records the engine chose minus accuracy on as many random ones, in points, mean",
            f"± standard error over {given.seeds} paired seeds, {measure.N_ROUNDS} rounds, the pools of the selection",
            "benchmark. Target models learn from the answers as they came, wrong ones included.",
            "",
            *pages.table(["pool", "setting", *MODELS], rows),
            "",
            f"Pools where a target model gains at least {TO_GAIN:.0f} point (sought: two of three):",
            "",
            *reached,
            "",
            *_usefulness(worth, given.value_seeds),
            "",
        ]
    )


def _mean(runs: Sequence[dict[str, float]], model: str) -> str:
    values = np.array([run[model] for run in runs])
    return f"{values.mean():+.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


def _reached(gains: Gains, setting: str) -> str:
    """Return for each target how many pools gain enough."""
    told = []
    for model in TARGETS:
        means = [np.mean([run[model] for run in runs]) for (_, own), runs in gains.items() if own == setting]
        told.append(f"{model} {sum(mean >= TO_GAIN for mean in means)} of {len(means)}")
    return ", ".join(told)


def _usefulness(worth: dict[str, list[FloatArray]], n_seeds: int) -> list[str]:
    """Return what models agree on, pool by pool and on average."""
    names = list(MODELS)
    by_pool = {name: np.mean(found, axis=0) for name, found in worth.items()}
    pair = np.triu_indices(len(names), 1)
    whole = np.mean(list(by_pool.values()), axis=0)
    rows = [[name, *(f"{v:.2f}" for v in row)] for name, row in zip(names, whole, strict=True)]
    claim = [name for name, found in by_pool.items() if found[pair].mean() >= TO_CLAIM]
    shown = ", ".join(f"{name} {found[pair].mean():.2f}" for name, found in by_pool.items())
    return [
        "## Is usefulness the data's or the model's?",
        "",
        f"What each of {measure.N_RECORDS} labeled records of a dirty pool is worth to each model: accuracy of models",
        f"trained on {measure.N_SUBSETS} random subsets, with the record minus without (data Banzhaf).",
        f"Rank correlation between models, each on another half of the subsets, mean of pools, {n_seeds} seed(s); on",
        "the diagonal a model with itself:",
        "",
        *pages.table(["", *names], rows),
        "",
        f"Mean over pairs of models, by pool: {shown}.",
        "",
        f"Usefulness is claimed to be the data's (mean at least {TO_CLAIM}) on: {', '.join(claim) or 'no pool'}.",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
