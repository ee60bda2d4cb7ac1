"""``python -m benchmarks.causes``: plant six causes of confusion in pools, and see which are named.

Weights are learnt on all pools but one and judged on that one (``--fit`` prints those learnt on all, to be put into
``curation/core/causes.py``); pools of a folder given with ``--data`` are judged by the weights that ship.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import track
from sklearn.linear_model import LogisticRegression

from benchmarks import pages
from benchmarks.causes import plant
from benchmarks.selection import pools
from curation.core import causes, surroundings
from curation.core.arrays import FloatArray, IntArray
from curation.core.causes import UNSURE, Cause

N_ASKED = (200, 300, 400, 600)
Sample = tuple[FloatArray, IntArray]


def main(arguments: Sequence[str]) -> int:
    """Print the confusion of causes, pool by pool."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.causes", description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--data", type=Path, help="folder of real pools (NAME.npz: X, y, X_test, y_test)")
    parser.add_argument("--fit", action="store_true", help="print the weights learnt on all pools")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/causes.md")
    given = parser.parse_args(arguments)
    names = pools.names(given.data)
    samples = {name: _samples(name, given.seeds, given.data) for name in track(names, description="planting")}
    if given.fit:
        print(_code(_learnt(list(samples.values()))))
        return 0
    guesses = {name: _guess(name, samples, by_shipped=given.data is not None) for name in names}
    page = _page({name: (samples[name][1], guesses[name]) for name in names}, given)
    pages.keep("causes", page, data=given.data, is_written=given.write)
    return 0


def _samples(name: str, n_seeds: int, folder: Path | None) -> Sample:
    """Return the evidence and causes of the planted records that the model is unsure of."""
    evidence, planted = [], []
    for seed in range(n_seeds):
        problem, cause = plant.make(pools.load(name, seed, folder), seed, N_ASKED[seed % len(N_ASKED)])
        rows = np.flatnonzero((problem.uncertainty > UNSURE) & (cause != plant.NONE))
        evidence.append(surroundings.around(problem, rows).evidence)
        planted.append(cause[rows])
    return np.concatenate(evidence), np.concatenate(planted)


def _learnt(samples: Sequence[Sample]) -> LogisticRegression:
    evidence, planted = (np.concatenate(parts) for parts in zip(*samples, strict=True))
    # Half-way to equal weight of all causes: rare ones are named, common ones still more often.
    weight = dict(enumerate(np.sqrt(len(planted) / len(Cause) / np.bincount(planted, minlength=len(Cause)))))
    return LogisticRegression(C=1.0, class_weight=weight, max_iter=5000).fit(evidence, planted)


def _guess(name: str, samples: dict[str, Sample], *, by_shipped: bool) -> IntArray:
    evidence = samples[name][0]
    if by_shipped:
        return np.asarray(causes.probabilities(evidence).argmax(axis=1))
    model = _learnt([sample for other, sample in samples.items() if other != name])
    return np.asarray(model.predict(evidence))


def _code(model: LogisticRegression) -> str:
    rows = [f"    Cause.{c.name}: ({', '.join(f'{w:.2f}' for w in model.coef_[i])})," for i, c in enumerate(Cause)]
    starts = [f"    Cause.{c.name}: {model.intercept_[i]:.2f}," for i, c in enumerate(Cause)]
    return "\n".join(["_WEIGHTS", *rows, "_INTERCEPTS", *starts])


def _table(planted: IntArray, guessed: IntArray) -> IntArray:
    counts = np.zeros((len(Cause), len(Cause)), dtype=np.int64)
    np.add.at(counts, (planted, guessed), 1)
    return counts


def f1(counts: IntArray) -> FloatArray:
    """Return F1 by cause from the confusion matrix (planted x named)."""
    return np.asarray(2 * np.diag(counts) / np.maximum(counts.sum(axis=0) + counts.sum(axis=1), 1))


def _page(told: dict[str, tuple[IntArray, IntArray]], given: argparse.Namespace) -> str:
    tables = {name: _table(*pair) for name, pair in told.items()}
    total = np.sum(list(tables.values()), axis=0)
    how = "weights that ship, learnt on other pools" if given.data else "weights learnt on the other pools"
    lines = [
        "# Causes of confusion",
        "",
        f"`python -m benchmarks.causes --seeds {given.seeds}{' --data DIR' if given.data else ''}`: {how};",
        f"records that the model is unsure of (margin below {1 - UNSURE:g}), one to three opinions each on",
        f"{N_ASKED[0]} to {N_ASKED[-1]} of 2,000 records.",
        "",
        f"Macro F1 over all pools: **{f1(total).mean():.3f}** (target 0.75).",
        "",
        "| planted \\ named | " + " | ".join(c.value for c in Cause) + " | F1 |",
        "|---|" + "---|" * (len(Cause) + 1),
        *(
            f"| {c.value} | " + " | ".join(f"{n:,}" for n in total[i]) + f" | {f1(total)[i]:.2f} |"
            for i, c in enumerate(Cause)
        ),
        "",
        "| pool | macro F1 | " + " | ".join(c.value for c in Cause) + " |",
        "|---|" + "---|" * (len(Cause) + 1),
        *(
            f"| {name} | {f1(t).mean():.2f} | " + " | ".join(f"{v:.2f}" for v in f1(t)) + " |"
            for name, t in tables.items()
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
