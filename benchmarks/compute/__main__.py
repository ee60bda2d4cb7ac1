"""``python -m benchmarks.compute``: CPU seconds of scoring in part and in full, of training anew, and of forecasts.

A pool of a million records as in ``make bench-scale``; rounds of 100 records on digits for the forecast, and for caps
of all sizes that are replayed against them. ``--replay`` makes the page of rounds measured before.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from benchmarks import pages
from benchmarks.compute.page import page
from benchmarks.scale import world
from curation.core import heads, proxy, scoring, selection
from curation.core.arrays import Asked, Scaler
from curation.core.pool import Pool
from curation.core.problem import Problem

KEPT = pages.FOLDER / "compute.json"
N_LABELS = (500, 1000, 2000, 4000)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: list[str]) -> int:
    """Measure, or read what was measured; print, and write, the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compute", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median counts")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--replay", action="store_true", help="measure nothing, take docs/measurements/compute.json")
    parser.add_argument("--write", action="store_true", help="write docs/measurements/compute.json and compute.md")
    given = parser.parse_args(arguments)
    if given.replay:
        pages.keep("compute", page(json.loads(KEPT.read_text())), is_written=given.write)
        return 0
    if any(os.environ.get(name) != "1" for name in _THREADS):  # one core: the libraries read it when they load
        return subprocess.call(  # noqa: S603 - ourselves
            [sys.executable, "-m", "benchmarks.compute", *arguments], env=os.environ | dict.fromkeys(_THREADS, "1")
        )
    figures = {
        "command": pages.command("compute", arguments),
        "rows": given.rows,
        "runs": given.runs,
        "scoring": _scoring(given.rows, given.runs),
        "rounds": [_rounds(given.rounds, seed) for seed in range(5)],
    }
    if given.write:
        KEPT.write_text(json.dumps(figures, indent=1) + "\n")
    pages.keep("compute", page(figures), is_written=given.write)
    return 0


def _cpu_s(work: Callable[[], Any], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return float(np.median(seconds))


def _scoring(n: int, runs: int) -> list[dict[str, float]]:
    """Return what scoring costs after a hundred labels more, in part and in full, and training anew beside it."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        here = world.make(Path(folder), n, 256, "float32")
        asked, X = here.asked(max(N_LABELS) + 100, np.random.default_rng(1), with_foreign=False)
        scaler = Scaler.of(here.pool.sample(np.random.default_rng(0)))
        for n_labels in N_LABELS:
            before, now = (_model(scaler, X, asked, size) for size in (n_labels, n_labels + 100))
            earlier = scoring.score(here.pool, before)
            part, whole = Pool(here.pool.shards), Pool(here.pool.shards)
            S, y = scaler(X[: n_labels + 100]), asked.labels[: n_labels + 100]
            figures = {
                "part_s": _cpu_s(partial(scoring.score, part, now, earlier, [1]), runs),
                "full_s": _cpu_s(partial(scoring.score, whole, now), runs),
                "train_s": _cpu_s(partial(heads.fit_best, S, y, np.ones(len(y)), world.N_CLASSES), runs),
            }
            rows = {"part_rows": sum(part.reads) / runs, "full_rows": sum(whole.reads) / runs}
            found.append({"n_labels": n_labels} | rows | figures)
    return found


def _model(scaler: Scaler, X: Any, asked: Asked, n: int) -> scoring.Linear:
    fitted = proxy.fit(scaler(X[:n]), asked.labels[:n], np.ones(n), world.N_CLASSES)
    return scoring.Linear.of(fitted, scaler)


def _rounds(n_rounds: int, seed: int) -> list[dict[str, float]]:
    """Return what each round of a run on digits cost, choosing and training."""
    X, y = load_digits(return_X_y=True)
    rows: list[int] = []
    found: list[dict[str, float]] = []
    for _ in range(n_rounds):
        started = time.process_time()
        asked = Asked(np.array(rows, dtype=np.int64), y[rows].astype(np.int64), np.ones(len(rows)))
        problem = Problem(X=X.astype(np.float32), asked=asked, n_classes=10, seed=seed)
        rule = [selection.Rule("auto", 1.0)]
        rows += [pick.row for pick in selection.mix(problem, rules=rule, n_picks=100, control_ratio=0.05, seed=seed)]
        asked = Asked(np.array(rows), y[rows].astype(np.int64), np.ones(len(rows)))
        heads.fit_best(*Problem(X=X.astype(np.float32), asked=asked, n_classes=10, seed=seed).training_set, 10)
        found.append({"n_asked": len(rows), "cpu_s": time.process_time() - started})
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
