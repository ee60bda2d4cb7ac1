"""Accuracy, calibration, adaptive saving, skill and speed of the truth-inference methods.

``python -m benchmarks.vetting --data DIR`` reads NAME.csv (task,worker,label) and NAME.truth.csv (task,truth) of DIR;
without it only generated crowds are measured. The folder may also be named by the variable LABELYARD_CROWD_DATA.
``make bench-vetting DATA=DIR`` adds crowd-kit, in an environment of its own, and writes ``docs/measurements/``.
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.vetting import adaptive, dynamic_rule, sets, side_by_side, speed, stress, tables
from benchmarks.vetting.scores import score, skill_scores
from benchmarks.vetting.sets import Crowd
from marketplace.core.aggregation import DEFAULT, aggregate

LIMITS = {
    "million_answers_cpu_s": 1.5,
    "extra_memory_mb": 120.0,
    "one_answer_us": 1000.0,
}
COMPARED = ("majority", "dawid_skene", "one_coin", DEFAULT)
GOLD_SHARE = 0.05
LEAST_GOLD = 8


def _gold(crowd: Crowd, seed: int = 0) -> tuple[dict[int, int], npt.NDArray[Any]]:
    """Return 5 % of the known records as gold, at least eight, and a mask of them."""
    known = np.flatnonzero(crowd.truth >= 0)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(known, size=max(LEAST_GOLD, round(GOLD_SHARE * len(known))), replace=False)
    mask = np.zeros(len(crowd.truth), dtype=bool)
    mask[chosen] = True
    return {int(task): int(crowd.truth[task]) for task in chosen}, mask


def measure_set(crowd: Crowd) -> dict[str, float]:
    """Return all figures of one crowd."""
    figures: dict[str, float] = {"answers_per_record": len(crowd.answers) / crowd.answers.n_tasks}
    for method in COMPARED:
        result = aggregate(crowd.answers, method=method)
        scored = score(result.posterior, crowd.truth)
        figures |= {f"{method}_accuracy": scored.accuracy, f"{method}_ece": scored.ece}
        if method == DEFAULT:
            figures |= {"log_loss": scored.log_loss, "brier": scored.brier}
            figures |= {"claimed": scored.claimed, "claims_right": scored.claims_right}
            figures["skill_rank"], figures["skill_cover"] = skill_scores(crowd, result)
    gold, mask = _gold(crowd)
    scored = score(aggregate(crowd.answers, gold=gold).posterior, crowd.truth, skip=mask)
    return figures | {"gold_accuracy": scored.accuracy, "gold_ece": scored.ece}


def table(title: str, measured: dict[str, dict[str, float]], solid: Callable[[str], bool]) -> dict[str, float]:
    """Print one line a crowd, then the means over the solid ones; return those means."""
    columns = list(next(iter(measured.values())))
    print(f"\n{title}\n" + " " * 20 + " ".join(f"{name[:18]:>18}" for name in columns))
    for name, figures in measured.items():
        print(f"{name:20}" + " ".join(f"{figures[column]:18.3f}" for column in columns))
    chosen = [figures for name, figures in measured.items() if solid(name)]
    means = {column: float(np.nanmean([figures[column] for figures in chosen])) for column in columns}
    print(f"{'mean (solid)':20}" + " ".join(f"{means[column]:18.3f}" for column in columns), flush=True)
    return means


def _rounded(value: Any) -> Any:
    """Return figures to four places, null for "not defined"."""
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 4)
    return value


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vetting", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("LABELYARD_CROWD_DATA"), help="folder of real sets")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--page", type=Path, help="also write the tables to this Markdown file")
    parser.add_argument("--peers", type=Path, help="interpreter of an environment that has crowd-kit")
    parser.add_argument("--skip-adaptive", action="store_true", help="leave out the slow overlap simulation")
    arguments = parser.parse_args()
    if arguments.data is not None and not Path(arguments.data).is_dir():
        parser.error(f"--data {arguments.data} is not a folder")
    return arguments


def of_crowds(real: list[Crowd], stressed: list[Crowd]) -> dict[str, Any]:
    """Measure and print all crowds, family by family."""
    names, solid = {crowd.name for crowd in real}, {crowd.name for crowd in real if crowd.is_solid}
    found: dict[str, Any] = {}
    for title, crowds in (
        ("real sets", real),
        ("real sets, thinned", [sets.thinned(crowd, n, 0) for crowd in real if crowd.is_solid for n in (2, 3, 5)]),
        ("generated crowds", list(sets.generated())),
        ("stress", stressed),
    ):
        if crowds:
            measured = {crowd.name: measure_set(crowd) for crowd in crowds}
            means = table(title, measured, lambda name: name in solid or name not in names)
            found[title] = {"sets": measured, "means": means}
    return found


def beside_peers(real: list[Crowd], stressed: list[Crowd], python: Path | None) -> dict[str, Any]:
    """Measure every method of ours, and the peers' where their environment is given."""
    found: dict[str, Any] = {}
    for title, crowds in (("Real sets", real), ("Stress families", [c for c in stressed if c.name.endswith("-0")])):
        if crowds:
            by_set = side_by_side.of_sets(crowds, python)
            found[title] = {"sets": by_set, "means": tables.means(by_set, [c.name for c in crowds if c.is_solid])}
    return found


def main() -> None:
    """Measure, print, and write JSON where asked."""
    arguments = _parsed()
    real = sets.load(Path(arguments.data)) if arguments.data else []
    stressed = [crowd for seed in range(3) for crowd in stress.families(seed)]
    report = of_crowds(real, stressed)
    if real and not arguments.skip_adaptive:
        savings = {crowd.name: adaptive.saving(crowd) | dynamic_rule.gains(crowd) for crowd in real if crowd.is_solid}
        report["adaptive overlap"] = {"sets": savings, "means": table("adaptive overlap", savings, lambda _: True)}
    report["side by side"] = beside_peers(real, stressed, arguments.peers)
    report["a million answers"] = side_by_side.million(arguments.peers)
    figures = speed.measure()
    print("\nspeed: " + ", ".join(f"{name} {value:.2f} (limit {LIMITS[name]:g})" for name, value in figures.items()))
    report["speed"] = figures
    if arguments.page:
        arguments.page.write_text(tables.page(report), encoding="utf-8")
    if arguments.json:
        arguments.json.write_text(json.dumps(_rounded(report), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
