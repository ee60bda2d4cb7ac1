"""``make bench-scale``: 100 of 100,000 and of a million records, first and later batch, beside the floor and peers."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.scale import measure, world
from curation.core import sketch
from curation.core.arrays import Asked

PAGE = Path(__file__).resolve().parents[2] / "docs" / "measurements" / "scale.json"
TARGETS = {"cold_s": 1.0, "later_s": 0.25, "cold_mb": 200.0, "quality": 0.97}
N_FEATURES = 256
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: list[str]) -> int:
    """Measure, print each figure beside its target, write the JSON where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median counts")
    parser.add_argument("--peers", type=Path, help="interpreter that has scikit-activeml")
    parser.add_argument(
        "--data", type=Path, help="folder of pools NAME.npz with X and y, for the quality of the sketch"
    )
    parser.add_argument("--write", action="store_true", help="write docs/measurements/scale.json")
    given = parser.parse_args(arguments)
    if any(os.environ.get(name) != "1" for name in _THREADS):  # one core: the libraries read it when they load
        return subprocess.call(  # noqa: S603 - ourselves
            [sys.executable, "-m", "benchmarks.scale", *arguments], env=os.environ | dict.fromkeys(_THREADS, "1")
        )
    figures: dict[str, Any] = {}
    for n in given.rows:
        for dtype in ("float32", "float16"):
            figures[f"{n:,} x {N_FEATURES} {dtype}"] = _of_pool(n, dtype, given.runs, given.peers)
    figures["quality"] = _quality() if given.data is None else _quality_of(given.data)
    _show(figures)
    if given.write:
        PAGE.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _of_pool(n: int, dtype: str, runs: int, peers: Path | None) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        here = world.make(Path(folder), n, N_FEATURES, dtype)
        run, messy = measure.Run(here), measure.Run(here, with_foreign=True)
        found: dict[str, float] = {}
        found["read_s"], _ = measure.cost(measure.reading(run.pool), runs)
        found["score_s"], _ = measure.cost(run.scoring, runs)
        for name, work in (("cold", run.cold), ("later", run.later)):
            found[f"{name}_s"], found[f"{name}_mb"] = measure.cost(work, runs)
        for name, work in (("rejections", messy.cold), ("later_rejections", messy.later)):
            found[f"{name}_s"], found[f"{name}_mb"] = measure.cost(work, runs)
        if dtype == "float32":
            found |= measure.of_files(Path(folder), here)
        if peers is not None and dtype == "float32" and n <= 100_000:
            whole = Path(folder) / "whole.npy"
            np.save(whole, np.concatenate(run.pool.shards))
            command = [str(peers), str(Path(__file__).with_name("peers.py")), str(whole)]
            command += [str(measure.N_ASKED), str(measure.N_PICKS)]
            lines = subprocess.run(  # noqa: S603 - the interpreter the caller named
                command, check=True, capture_output=True, text=True, timeout=1200
            ).stdout
            found |= {f"scikit-activeml {k}": v for k, v in json.loads(lines.splitlines()[-1]).items()}
        return found


def _quality(n: int = 10_000, seeds: int = 5) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"cold": [], "later": [], "random": []}
    for seed in track(range(seeds), "Quality against the exact greedy ..."):
        with tempfile.TemporaryDirectory() as name:
            here = world.make(Path(name), n, N_FEATURES, "float32", n_shards=1, seed=seed)
            asked, _ = here.asked(200, np.random.default_rng(seed), with_foreign=False)
            X = here.pool.rows(np.arange(n))
            ours, chance = measure.quality(X, Asked(asked.rows, asked.labels, asked.weights), sketch.COLD, seed)
            found["cold"].append(ours)
            found["random"].append(chance)
            found["later"].append(measure.quality(X, asked, sketch.NEXT, seed)[0])
    return found


def _quality_of(folder: Path, seeds: int = 3) -> dict[str, list[float]]:
    """Return the same on pools of one's own: their first 10,000 rows, 100 asked."""
    found: dict[str, list[float]] = {}
    for file in track(sorted(folder.glob("*.npz")), "Quality against the exact greedy ..."):
        with np.load(file, allow_pickle=False) as held:
            if "y" not in held or len(held["X"]) < 4000:
                continue
            X, y = held["X"][:10_000].astype(np.float32), held["y"][:10_000].astype(np.int64)
        for seed in range(seeds):
            rows = np.sort(np.random.default_rng(seed).choice(len(X), 100, replace=False))
            asked = Asked(rows, y[rows], np.ones(len(rows)))
            for name, sizes in (("cold", sketch.COLD), ("later", sketch.NEXT)):
                ours, chance = measure.quality(X, asked, sizes, seed, int(y.max()) + 1)
                found.setdefault(f"{name}, {file.stem}", []).append(ours)
                found.setdefault(f"random, {file.stem}", []).append(chance)
    return found


def _show(figures: dict[str, Any]) -> None:
    table = Table("pool", "figure", "measured", "target", "floor: reading it once")
    for pool, found in figures.items():
        if pool == "quality":
            for name, values in found.items():
                target = f">= {TARGETS['quality']}" if name.startswith("cold") else ""
                table.add_row("10,000", f"objective, {name} / exact", f"{np.mean(values):.3f}", target, "")
            continue
        for name, value in found.items():
            target = f"<= {TARGETS[name]}" if name in TARGETS and pool.startswith("1,000,000") else ""
            table.add_row(pool, name, f"{value:.3f}", target, f"{found['read_s']:.3f}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
