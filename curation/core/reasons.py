"""Why a record was picked, in numbers and in words."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core.arrays import squared_distances
from curation.core.problem import Problem

CONTROL: Final = "control"


@dataclass(frozen=True, slots=True)
class Pick:
    """A row chosen, by which arm and with which chance (None = not at random), its worth, and the reason."""

    row: int
    arm: str
    propensity: float | None
    utility: float
    parts: dict[str, float]
    words: str


def explain(problem: Problem, row: int, arm: str, propensity: float | None, utility: float) -> Pick:
    """Return a row as a pick with the parts of its reason."""
    nearest = _nearest_asked(problem, row)
    copies = int((problem.group == problem.group[row]).sum()) - 1
    parts = {
        "coverage_gain": utility,
        "uncertainty": float(problem.uncertainty[row]),
        "relevance": float(problem.relevance.proba[row]),
        "nearest_asked": nearest,
        "n_near_copies": float(copies),
    }
    return Pick(row, arm, propensity, utility, parts, _words(parts, arm))


def _nearest_asked(problem: Problem, row: int) -> float:
    if not len(problem.asked.rows):
        return float("inf")
    distances = squared_distances(problem.scaled[[row]], problem.scaled[problem.asked.rows])
    return float(np.sqrt(distances.min() / problem.median_distance))


def _words(parts: dict[str, float], arm: str) -> str:
    if arm == CONTROL:
        return "Drawn at random as control: it measures what choosing is worth."
    if arm == "random":
        return "Drawn at random: the baseline."
    why = []
    if parts["uncertainty"] > 0.6:
        why.append(f"the model hesitates between two classes ({parts['uncertainty']:.0%} of the way to a tie)")
    if parts["nearest_asked"] > 0.8:
        why.append("nothing like it has been asked yet")
    if not why:
        why.append("it stands for many records that are still covered poorly")
    scope = f"; an annotator can probably label it ({parts['relevance']:.0%})"
    copies = f"; it speaks for {parts['n_near_copies']:.0f} near copies too" if parts["n_near_copies"] else ""
    text = ", and ".join(why) + scope + copies
    return text[0].upper() + text[1:] + "."
