"""``python -m benchmarks.joint``: accuracy by spend of the joint loop, and of stepwise pipelines."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.joint import market
from benchmarks.joint.arms import ARMS, PENALTY, Run
from benchmarks.selection import mess, pools
from curation.core import softmax

N_ROUNDS = 15
SETTINGS = {"clean": mess.Setting(), "messy": mess.Setting(0.30, 0.15, 0.05, 0.0)}


def play(name: str, seed: int, arm: str, shape: market.Shape, setting: mess.Setting, folder: Path | None) -> float:
    """Return the mean over rounds of accuracy relative to a model trained on the whole pool's true labels."""
    pool = mess.make(pools.load(name, seed, folder), setting, seed)
    here = market.make(pool.n_classes, shape, seed)
    run = Run(arm, pool, here, np.random.default_rng([seed, 5]))
    X_test = run.scale(pool.X_test)
    whole = softmax.fit(run.scale(pool.X_full), np.eye(pool.n_classes)[pool.y_full], inverse_penalty=PENALTY)
    best = float((whole.proba(X_test).argmax(axis=1) == pool.y_test).mean())
    budget = float(np.clip(2 * pool.n_classes, 10, 40))
    found = []
    for _ in range(N_ROUNDS):
        run.round(budget)
        proba = run.model.proba(X_test) if run.model is not None else np.zeros((len(X_test), pool.n_classes))
        found.append(float((proba.argmax(axis=1) == pool.y_test).mean()) / best)
    return float(np.mean(found))


def main(arguments: list[str]) -> int:
    """Play every arm on every pool and seed, print the paired differences, write the JSON where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.joint", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--shapes", nargs="+", default=list(market.SHAPES), choices=list(market.SHAPES))
    parser.add_argument("--settings", nargs="+", default=["clean"], choices=list(SETTINGS))
    parser.add_argument("--data", type=Path, help="folder of pools NAME.npz; default: bundled and generated ones")
    parser.add_argument("--pools", nargs="+", help="only these pools")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS), help="only these; the first leads")
    parser.add_argument("--out", type=Path, help="JSON file of every figure")
    given = parser.parse_args(arguments)
    names = given.pools or pools.names(given.data)
    cells = [(s, m, p, seed, arm) for s in given.shapes for m in given.settings for p in names
             for seed in range(given.first_seed, given.first_seed + given.seeds) for arm in given.arms]  # fmt: skip
    found: dict[str, dict[str, list[float]]] = {}
    for shape, setting, pool, seed, arm in track(cells, "Playing ..."):
        figures = found.setdefault(f"{shape}, {setting}", {name: [] for name in given.arms})
        figures[arm].append(play(pool, seed, arm, market.SHAPES[shape], SETTINGS[setting], given.data))
    for title, figures in found.items():
        show(title, figures)
    if given.out is not None:
        given.out.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def show(title: str, figures: dict[str, list[float]]) -> None:
    """Print each arm's mean, and its paired differences to the first one and to the best that decides in steps."""
    means = {arm: float(np.mean(values)) for arm, values in figures.items()}
    first = next(iter(figures))
    rival = max((arm for arm in ARMS[:4] if arm in figures), key=lambda arm: means[arm], default=first)
    table = Table("pipeline", "area, points", f"against {first}", f"against {rival}", title=title)
    for arm, values in figures.items():
        table.add_row(arm, f"{100 * means[arm]:.1f}", _paired(values, figures[first]), _paired(values, figures[rival]))
    Console(width=130).print(table)


def _paired(ours: list[float], theirs: list[float]) -> str:
    gap = 100 * (np.array(ours) - np.array(theirs))
    error = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else float("nan")
    return f"{gap.mean():+.1f} ± {error:.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
