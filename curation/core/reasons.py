"""Why a record was picked, in numbers and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core import merit
from curation.core.arrays import FloatArray, squared_distances
from curation.core.problem import Problem

CONTROL: Final = "control"
FILL: Final = "fill"
MANUAL: Final = "manual"
SEARCH: Final = "class search"
_SHOWN: Final = 40
_COVERS: Final = "it stands for many records that are still covered poorly"


@dataclass(frozen=True, slots=True)
class Pick:
    """A row chosen, by which arm and with which chance (None = not at random), its worth, and the reason."""

    row: int
    arm: str
    propensity: float | None
    utility: float
    parts: dict[str, float]
    words: str


def explain(
    problem: Problem, row: int, arm: str, propensity: float | None, utility: float, *, why: str = "", before: str = ""
) -> Pick:
    """Return a row as a pick with the parts of its reason.

    Parameters
    ----------
    why
        The strategy's reason, a format string over the parts and ``score`` (the utility); empty: from the parts.
    before
        What stands in front of the reason, such as that there is no model yet.
    """
    parts = {
        "coverage_gain": utility,
        "uncertainty": float(problem.uncertainty[row]),
        "entropy": entropy(problem.proba[row]) if problem.has_model else 1.0,
        "relevance": float(problem.relevance.proba[row]),
        "nearest_asked": _nearest_asked(problem, row),
        "n_near_copies": float(int((problem.group == problem.group[row]).sum()) - 1),
    }
    if problem.utility is not None:
        parts["utility_given"] = float(problem.utility[row])
    between = rivals(problem.proba[row], problem.class_names) if problem.has_model else ""
    return told(row, arm, propensity, utility, parts, between=between, why=why, before=before)


def told(
    row: int,
    arm: str,
    propensity: float | None,
    utility: float,
    parts: dict[str, float],
    *,
    between: str,
    why: str = "",
    before: str = "",
) -> Pick:
    """Return a row as a pick with its reason in words, from parts named as in :func:`explain`, and its value.

    ``between`` names the classes in question; empty, as before there is a model, nothing is said of uncertainty.
    """
    known = (np.asarray(parts[name]) for name in ("uncertainty", "relevance", "nearest_asked"))
    parts = parts | {"value": float(merit.value(*known))}
    text = why.format(**parts, score=utility, between=between) if why else _usual_reason(parts, between)
    return Pick(row, arm, propensity, utility, parts, _words(parts, arm, text, before))


def rivals(proba: FloatArray, names: Sequence[str]) -> str:
    """Return the two likeliest classes by probabilities, shape (k,), in words; ties go to the earlier class.

    >>> rivals(np.array([0.1, 0.5, 0.4]), ["ant", "bee", "cow"]), rivals(np.array([0.6, 0.4]), [])
    ("'bee' and 'cow'", 'two classes')
    """
    first, second = np.argsort(-proba, kind="stable")[:2].tolist() if len(proba) > 1 else (0, 0)
    if first == second or len(names) <= max(first, second):
        return "two classes"
    return " and ".join(f"{names[at][:_SHOWN]!r}" for at in (first, second))


def entropy(proba: FloatArray) -> float:
    """Return the entropy of class probabilities, shape (k,), as a share of the highest possible."""
    positive = proba[proba > 0]
    return float(-(positive * np.log(positive)).sum() / np.log(len(proba))) if len(proba) > 1 else 0.0


def _nearest_asked(problem: Problem, row: int) -> float:
    if not len(problem.asked.rows):
        return float("inf")
    distances = squared_distances(problem.scaled[[row]], problem.scaled[problem.asked.rows])
    return float(np.sqrt(distances.min() / problem.median_distance))


def _words(parts: dict[str, float], arm: str, text: str, before: str) -> str:
    if arm == CONTROL:
        return "Drawn at random as control: it measures what choosing is worth."
    if arm == MANUAL:
        return "Chosen by hand."
    if arm == FILL:
        return (
            "Fills the batch: what is left are near copies of records asked or picked, left out by the strategy, or "
            "too many to be weighed one by one."
        )
    if arm == "random":
        return "Drawn at random: the baseline."
    if arm == SEARCH:
        text = ""  # what it is for stands before
    scope = f"; an annotator can probably label it ({parts['relevance']:.0%})"
    copies = f"; it speaks for {parts['n_near_copies']:.0f} near copies too" if parts["n_near_copies"] else ""
    return before + text + scope + copies + "."


def _usual_reason(parts: dict[str, float], between: str) -> str:
    why = []
    if not between:
        why.append(_COVERS)
    elif "utility_given" in parts and parts["uncertainty"] > 0.6:
        why.append(f"the utility given for it is high ({parts['uncertainty']:.0%} of their range)")
    elif parts["uncertainty"] > 0.6:
        why.append(f"the model hesitates between {between} ({parts['uncertainty']:.0%} of the way to a tie)")
    if parts["nearest_asked"] > 0.8:
        why.append("nothing like it has been asked yet")
    if not why:
        why.append(_COVERS)
    text = ", and ".join(why)
    return text[0].upper() + text[1:]
