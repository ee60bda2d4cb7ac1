"""``python -m benchmarks.messy_digits``: the demo's messy scans, many seeds, every strategy at equal labels."""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from curation.core import evaluation, selection
from curation.core.arrays import Asked, IntArray
from curation.core.problem import Problem
from embedded.demo.pool import CORRUPTED, FOREIGN, MessyDigits, make_messy_digits

STRATEGIES = ("herding", "coverage", "margin", "random")
WRONG_LABELS = 0.05
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Run:
    """One strategy on one seed: test accuracy and foreign share by round, junk share over the run."""

    strategy: str
    seed: int
    accuracy: list[float]
    foreign: list[float]
    junk: float
    pool_foreign: float


def run(name: str, seed: int, n_rounds: int, n_picks: int) -> Run:
    """Play the rounds: answers are the truth with 5 % wrong labels; foreign and damaged rows cannot be labeled."""
    pool = make_messy_digits(seed)
    rng = np.random.default_rng(seed + 10_000)
    asked = Asked.nothing()
    accuracy, foreign = [], []
    for _ in range(n_rounds):
        picks = selection.select(
            _problem(pool, asked, seed),
            name=name,
            n_picks=n_picks,
            control_ratio=0.0 if name == "random" else 0.05,
            seed=seed,
        )
        rows = np.array([pick.row for pick in picks])
        asked = _answered(asked, pool, rows, rng)
        after = _problem(pool, asked, seed)
        accuracy.append(evaluation.accuracy(after.model.proba(after.scale(pool.X_test)), pool.y_test).accuracy)
        foreign.append(float((pool.kind[rows] == FOREIGN).mean()))
    junk = float(np.isin(pool.kind[asked.rows], (FOREIGN, CORRUPTED)).mean())
    return Run(name, seed, accuracy, foreign, junk, float((pool.kind == FOREIGN).mean()))


def _problem(pool: MessyDigits, asked: Asked, seed: int) -> Problem:
    return Problem(pool.X, asked, len(pool.classes), pool.anchor, pool.anchor_label, seed)


def _answered(asked: Asked, pool: MessyDigits, rows: IntArray, rng: np.random.Generator) -> Asked:
    labels = pool.truth[rows].copy()
    wrong = (rng.random(len(rows)) < WRONG_LABELS) & (labels >= 0)
    labels[wrong] = rng.integers(0, len(pool.classes), int(wrong.sum()))
    return Asked(
        np.concatenate([asked.rows, rows]),
        np.concatenate([asked.labels, labels]),
        np.concatenate([asked.weights, np.full(len(rows), CONFIDENCE)]),
    )


def mean_and_error(values: list[float]) -> str:
    """Return a mean in points with its standard error."""
    array = 100 * np.asarray(values)
    return f"{array.mean():.2f} ± {array.std(ddof=1) / np.sqrt(len(array)):.2f}"


def main(arguments: list[str]) -> int:
    """Run, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--per-round", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("docs/measurements/messy_digits.json"))
    options = parser.parse_args(arguments)
    cells = [(name, seed) for seed in range(100, 100 + options.seeds) for name in STRATEGIES]
    runs = [run(name, seed, options.rounds, options.per_round) for name, seed in track(cells, "Selecting ...")]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([asdict(one) for one in runs], indent=1) + "\n")
    show(runs, options.seeds)
    return 0


def show(runs: list[Run], n_seeds: int) -> None:
    """Print means over seeds, each paired with random on the same seed."""
    table = Table(title=f"Messy digits, {n_seeds} paired seeds, mean ± standard error, percent")
    for column in (
        "strategy",
        "final accuracy",
        "mean accuracy",
        "final - random",
        "seeds above random",
        "junk bought",
    ):
        table.add_column(column)
    base = {one.seed: one for one in runs if one.strategy == "random"}
    for name in STRATEGIES:
        mine = [one for one in runs if one.strategy == name]
        ahead = [one.accuracy[-1] - base[one.seed].accuracy[-1] for one in mine]
        table.add_row(
            name,
            mean_and_error([one.accuracy[-1] for one in mine]),
            mean_and_error([float(np.mean(one.accuracy)) for one in mine]),
            mean_and_error(ahead),
            f"{sum(gain > 0 for gain in ahead)} of {len(mine)}",
            mean_and_error([one.junk for one in mine]),
        )
    Console().print(table)
    show_by_seed([one for one in runs if one.strategy == "herding"], base)


def show_by_seed(runs: list[Run], base: dict[int, Run]) -> None:
    """Print on how many single seeds each promise holds, and which seeds break one: means can hide them."""
    shares = ", ".join(f"{share:.1%}" for share in np.mean([one.foreign for one in runs], axis=0))
    Console().print(f"herding, foreign share by round: {shares}")
    kept = {one.seed: promises_kept(one, base[one.seed]) for one in runs}
    for name in next(iter(kept.values())):
        Console().print(f"  {name}: {sum(held[name] for held in kept.values())} of {len(runs)} seeds")
    broken = [str(seed) for seed, held in kept.items() if not all(held.values())]
    Console().print(f"  all of them: {len(runs) - len(broken)} of {len(runs)}; not on seeds {', '.join(broken) or '-'}")


def promises_kept(mine: Run, random: Run) -> dict[str, bool]:
    """Return which promises one seed keeps; "falling" = negative least-squares slope, last below first or both 0."""
    first, last = mine.foreign[0], mine.foreign[-1]
    slope = float(np.polyfit(np.arange(len(mine.foreign)), mine.foreign, 1)[0])
    none = max(mine.foreign) == 0
    return {
        "foreign at most half of the pool's share": float(np.mean(mine.foreign)) <= mine.pool_foreign / 2,
        "foreign falling over the rounds": none or (slope < 0 and (last < first or last == first == 0)),
        "final accuracy above random": mine.accuracy[-1] > random.accuracy[-1],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
