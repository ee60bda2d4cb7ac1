"""``python -m benchmarks.routing``: the production ranker in simulated markets against other rules, paired by seed."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.routing import bound, plot, routers, world
from benchmarks.routing.beliefs import Learning
from benchmarks.routing.simulation import Simulation

RULES: dict[str, Callable[[world.World], routers.Router]] = {
    "production": lambda here: routers.Production(here, Learning()),
    "no share for newcomers": lambda here: routers.Production(here, Learning(), explores=False),
    "knows every parameter": routers.Knowing,
    "weighted sum of claims": routers.Claimed,
    "cheapest": routers.Cheapest,
    "round robin": routers.RoundRobin,
    "random": lambda here: routers.Chance(here, seed=1),
}
CLAIRVOYANT = "clairvoyant bound"
TARGETS = {"knows every parameter": 1.005, "weighted sum of claims": 0.94}


N_DAYS = 10


def by_day(rule: str, seed: int) -> list[float]:
    """Return the mean loss of the orders of each day of one world under one rule."""
    here = world.make(seed)
    if rule == CLAIRVOYANT:
        pairs = list(zip(here.orders, bound.losses(here), strict=True))
    else:
        pairs = [(course.order, course.loss) for course in Simulation(here, RULES[rule](here)).run()]
    days = [[loss for order, loss in pairs if order.at_s // world.DAY_S == day] for day in range(N_DAYS)]
    return [float(np.mean(losses)) for losses in days]


def main(arguments: list[str]) -> int:
    """Run, print production's loss against each rule's, write figures and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("docs/measurements/routing.json"))
    options = parser.parse_args(arguments)
    names = [*RULES, CLAIRVOYANT]
    cells = [(rule, seed) for seed in range(options.seeds) for rule in names]
    days: dict[str, list[list[float]]] = {rule: [] for rule in names}
    for rule, seed in track(cells, "Routing ..."):
        days[rule].append(by_day(rule, seed))
    losses = {rule: [float(np.mean(world_days)) for world_days in of_rule] for rule, of_rule in days.items()}
    options.out.write_text(json.dumps(losses, indent=1) + "\n")
    plot.draw(days, options.out.with_suffix(".svg"))
    show(losses)
    return 0


def show(losses: dict[str, list[float]]) -> None:
    """Print the mean over seeds of production's loss over each rule's, with its standard error."""
    table = Table("rule", "mean loss", "production / rule", "target")
    ours = np.asarray(losses["production"])
    for rule, values in losses.items():
        ratio = ours / np.asarray(values)
        error = ratio.std(ddof=1) / np.sqrt(len(ratio)) if len(ratio) > 1 else float("nan")
        target = f"<= {TARGETS[rule]}" if rule in TARGETS else ""
        table.add_row(rule, f"{np.mean(values):.4f}", f"{ratio.mean():.4f} ± {error:.4f}", target)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
