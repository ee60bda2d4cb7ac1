"""Several wishes weighed against each other, pick by pick: diversity, scores, metadata, balance, thresholds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.core import composition
from curation.core.arrays import BoolArray, FloatArray, IntArray, scaled_to_one, squared_distances
from curation.core.composition import Composition, Part
from curation.core.problem import Problem
from curation.core.strategies.picking import nearest_squared
from curation.core.strategies.registry import Scored, register
from curation.core.strategies.uncertain import normalised_entropy

_COMPARE: dict[str, Callable[[FloatArray, float], BoolArray]] = {
    ">": lambda values, limit: values > limit,
    ">=": lambda values, limit: values >= limit,
    "<": lambda values, limit: values < limit,
    "<=": lambda values, limit: values <= limit,
}


@dataclass(eq=False)
class Wish:
    """Scores of all rows in [0, 1] that may change with each pick."""

    scores: FloatArray
    after: Callable[[int], FloatArray] | None = None


@register("metadata_weighted", why="It serves the wishes of the configuration best, weighed together ({score:.2f})")
def metadata_weighted(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Greedily the record that serves all wishes best, each scaled to [0, 1] and weighed by its strength."""
    wanted = problem.composition or composition.DEFAULT
    free = allowed.copy()
    wishes: list[tuple[float, Wish]] = []
    for part in wanted.parts:
        if part.strategy == "threshold":
            free &= _passing(part, _scalar(problem, part))
        else:
            wishes.append((part.strength, _wish(problem, part, n_picks, rng)))
    total = sum(strength for strength, _ in wishes)
    rows: list[int] = []
    gains: list[float] = []
    while len(rows) < n_picks and free.any():
        worth = sum((strength / total * wish.scores for strength, wish in wishes), np.zeros(len(free)))
        row = int(np.where(free, worth, -np.inf).argmax())
        rows.append(row)
        gains.append(float(worth[row]))
        free &= problem.group != problem.group[row]
        for _, wish in wishes:
            if wish.after is not None:
                wish.scores = wish.after(row)
    return Scored(np.array(rows, dtype=np.int64), np.array(gains))


def promising(
    wanted: Composition,
    metadata: Mapping[str, npt.NDArray[Any]],
    is_free: BoolArray,
    count: int,
    rng: np.random.Generator,
) -> IntArray:
    """Return the rows of a large pool that a composition points to by metadata alone; what needs a model is not asked.

    Of the free rows that pass the thresholds: some at random, those with the greatest weights, and some of each value
    to be balanced; ``count`` of each kind at most.
    """
    free = is_free.copy()
    parts = [(part, part.column) for part in wanted.parts if part.column is not None]
    for part, name in parts:
        if part.strategy == "threshold":
            free &= _passing(part, _numbers(_column(metadata, name), name))
    rows = rng.permutation(np.flatnonzero(free))
    found = [rows[:count]]
    for part, name in parts:
        values = _column(metadata, name)[rows]
        if part.strategy == "weights" and len(rows):
            best = np.argpartition(-_numbers(values, name), min(count, len(rows)) - 1)
            found.append(rows[best[:count]])
        if part.strategy == "balance":
            names, value = np.unique([str(v) for v in values], return_inverse=True)
            found += [rows[value == at][: -(-count // len(names))] for at in range(len(names))]
    return np.unique(np.concatenate(found))


def _passing(part: Part, values: FloatArray) -> BoolArray:
    return _COMPARE[part.operation](values, part.value)


def _wish(problem: Problem, part: Part, n_picks: int, rng: np.random.Generator) -> Wish:
    if part.strategy == "diversity":
        return _diversity(problem)
    if part.strategy == "balance":
        return _balance(problem, part, n_picks)
    if part.strategy == "similarity":
        return Wish(_similarity(problem))
    if part.strategy == "random":
        return Wish(rng.random(len(problem.X)))
    return Wish(scaled_to_one(_scalar(problem, part)))


def _scalar(problem: Problem, part: Part) -> FloatArray:
    if part.column is not None:
        return _numbers(_column(problem.metadata, part.column), part.column)
    if part.input == "utility":
        if problem.utility is None:
            raise ValueError("the configuration reads utility, but none was given")
        return problem.utility
    values: dict[str, Callable[[], FloatArray]] = {
        "margin": lambda: problem.uncertainty,
        "entropy": lambda: normalised_entropy(problem.proba),
        "least_confident": lambda: np.asarray(1 - problem.proba.max(axis=1)),
        "relevance": lambda: problem.relevance.proba,
    }
    return values[part.input]()


def _column(metadata: Mapping[str, npt.NDArray[Any]], name: str) -> npt.NDArray[Any]:
    if name not in metadata:
        there = ", ".join(sorted(metadata)) or "none"
        raise ValueError(f"the configuration reads metadata {name!r}; there are {there}")
    return np.asarray(metadata[name])


def _numbers(values: npt.NDArray[Any], name: str) -> FloatArray:
    try:
        numbers = np.array([float(value) for value in values])
    except (TypeError, ValueError):
        raise ValueError(f"metadata {name!r} holds values that are no numbers; balance works on names") from None
    if not np.isfinite(numbers).all():
        raise ValueError(f"metadata {name!r} is no finite number at row {int(np.argmin(np.isfinite(numbers)))}")
    return numbers


def _diversity(problem: Problem) -> Wish:
    X = problem.scaled
    usual = np.sqrt(problem.median_distance)
    nearest = nearest_squared(X, X[problem.asked.rows])

    def scores() -> FloatArray:
        return np.minimum(np.sqrt(nearest, dtype=np.float64) / usual, 1.0)

    def after(row: int) -> FloatArray:
        np.minimum(nearest, squared_distances(X, X[[row]])[:, 0], out=nearest)
        return scores()

    return Wish(scores(), after)


def _similarity(problem: Problem) -> FloatArray:
    if problem.scaled_anchor is None:
        raise ValueError("the configuration asks for similarity to the anchor, but there is no anchor")
    nearest = nearest_squared(problem.scaled, problem.scaled_anchor)
    return np.asarray(np.exp(-nearest.astype(np.float64) / (problem.median_distance / 4)))


def _balance(problem: Problem, part: Part, n_picks: int) -> Wish:
    """Score rows by how far their value lags behind its share of what is asked and picked."""
    if part.column is None:
        names = [str(c) for c in (problem.class_names or range(problem.n_classes))]
        value: IntArray = problem.proba.argmax(axis=1).astype(np.int64)
        have = problem.labels_per_class + 0.0
    else:
        found, value = np.unique([str(v) for v in _column(problem.metadata, part.column)], return_inverse=True)
        names = found.tolist()
        have = np.bincount(value[problem.asked.rows], minlength=len(names)) + 0.0
    target = np.array([dict(part.target).get(name, 0.0) for name in names]) if part.target else np.ones(len(names))
    if target.sum() <= 0:
        raise ValueError(f"the balance over {part.input} names none of {', '.join(names[:20])}")
    goal = target / target.sum() * (have.sum() + n_picks)

    def scores() -> FloatArray:
        return np.asarray((np.maximum(goal - have, 0.0) / np.maximum(goal, 1.0))[value])

    def after(row: int) -> FloatArray:
        have[value[row]] += 1
        return scores()

    return Wish(scores(), after)
