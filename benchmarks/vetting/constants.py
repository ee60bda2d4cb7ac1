"""Every tuned constant, chosen on all families but one and scored on that one.

``python -m benchmarks.vetting.constants --data DIR`` prints, for each constant, the mean held-out accuracy, calibration
error and log-loss when it is chosen by log-loss on the other families, beside those of what is built. A constant whose
choice wanders, or whose held-out score is worse than what is built, was tuned to these sets.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

from benchmarks.vetting import sets
from benchmarks.vetting.scores import score
from benchmarks.vetting.sets import Crowd
from marketplace.core.aggregation import aggregate, cliques, em, evidence, guarded, one_coin, shrunken

FAMILIES = {"sp_amt": "sp", "cf_amt": "cf", "temp": "rte"}
"""Sets that share records or annotators with another."""
CONSTANTS: tuple[tuple[ModuleType, str, tuple[float, ...]], ...] = (
    (guarded, "DRIFT_WEIGHT", (0.5, 1.0, 2.0)),
    (guarded, "TEMPERATURE", (0.05, 0.1, 0.2)),
    (guarded, "SKEW_POWER", (1, 2, 3)),
    (evidence, "BASE_NATS", (2.5, 3.0, 3.5)),
    (evidence, "NATS_PER_RIVALS", (0.5, 0.75, 1.0)),
    (em, "PSEUDO_SHARE", (0.05, 0.1, 0.2)),
    (one_coin, "PSEUDO_ANSWERS", (2.0, 4.0, 8.0)),
    (shrunken, "POOLED_WEIGHT", (2.0, 5.0, 10.0)),
    (cliques, "LEAST_COPIED", (0.4, 0.5, 0.6)),
    (cliques, "EXCESS_TOGETHER", (1.5, 2.0, 3.0)),
    (cliques, "EXCESS_ALONE", (3.0, 4.0, 5.0)),
)


@contextmanager
def setting(module: ModuleType, name: str, value: float) -> Iterator[None]:
    """Give a constant another value for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def family_of(crowd: Crowd) -> str:
    """Return the family of a set, thinned or whole."""
    name = crowd.name.split("/")[0]
    return FAMILIES.get(name, name)


def by_family(crowds: list[Crowd]) -> dict[str, npt.NDArray[np.float64]]:
    """Return mean accuracy, calibration error and log-loss of each family."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for crowd in crowds:
        scored = score(aggregate(crowd.answers).posterior, crowd.truth)
        rows.setdefault(family_of(crowd), []).append((scored.accuracy, scored.ece, scored.log_loss))
    return {family: np.mean(found, axis=0) for family, found in rows.items()}


def held_out(scores: dict[float, dict[str, npt.NDArray[np.float64]]]) -> tuple[npt.NDArray[np.float64], Counter[float]]:
    """Return the mean score of each family under the value that the others choose, and how often each is chosen."""
    families = list(next(iter(scores.values())))
    found, chosen = [], Counter[float]()
    for family in families:
        losses = {
            value: np.mean([by[other][2] for other in families if other != family]) for value, by in scores.items()
        }
        best = min(losses, key=lambda value: losses[value])
        chosen[best] += 1
        found.append(scores[best][family])
    return np.mean(found, axis=0), chosen


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vetting.constants", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    solid = [crowd for crowd in sets.load(arguments.data) if crowd.is_solid]
    crowds = solid + [sets.thinned(crowd, n, 0) for crowd in solid for n in (2, 4)]
    built = by_family(crowds)
    print("| constant | built | candidates | chosen by the others | held out | built |\n|---|---|---|---|---|---|")
    report = {}
    for module, name, values in CONSTANTS:
        scores = {}
        for value in values:
            with setting(module, name, value):
                scores[value] = by_family(crowds)
        mean, chosen = held_out(scores)
        own = np.mean(list(built.values()), axis=0)
        picks = ", ".join(f"{value:g} x{n}" for value, n in sorted(chosen.items()))
        shown = [f"{row[0]:.2f} {row[1]:.4f} {row[2]:.4f}" for row in (mean, own)]
        print(f"| {name} | {getattr(module, name):g} | {values} | {picks} | {shown[0]} | {shown[1]} |", flush=True)
        report[name] = {"chosen": picks, "held_out": mean.round(4).tolist(), "built": own.round(4).tolist()}
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
