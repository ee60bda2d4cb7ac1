"""What the customer's own model says of records in a round, put into the selection problem."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from common.errors import ValidationFailedError
from curation.core import portfolio
from curation.core.arrays import SUM_TOLERANCE, Asked, BoolArray, IntArray
from curation.core.problem import Problem
from curation.errors import sentence


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the customer's own model says in a round, by key: probabilities or a utility, and embeddings."""

    proba: Mapping[str, Sequence[float]] = field(default_factory=dict)
    utility: Mapping[str, float] = field(default_factory=dict)
    embeddings: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.proba or self.utility or self.embeddings)

    @property
    def by_name(self) -> dict[str, Mapping[str, Any]]:
        """Each kind as the API calls it."""
        return {"probabilities": self.proba, "utilities": self.utility, "embeddings": self.embeddings}

    @property
    def name(self) -> str:
        """Name of what says which records to choose among."""
        return next(name for name, given in self.by_name.items() if given)


def with_outputs(problem: Problem, outputs: Outputs, row_of: Mapping[str, int]) -> tuple[Problem, BoolArray]:
    """Return the problem with the customer's outputs in it, and which rows they speak of (the ones to choose among).

    Raises
    ------
    ValidationFailedError
        When both kinds are given, or probabilities do not fit the classes or do not sum to one; the first such key.
    """
    if outputs.proba and outputs.utility:
        raise ValidationFailedError.of("utilities", "one_of", "Give probabilities or utilities, not both.")
    name = outputs.name
    rows = [row_of[key] for key in outputs.by_name[name]]
    within = np.zeros(len(problem.X), dtype=np.bool_)
    within[rows] = True
    if name == "embeddings":
        return problem, within
    try:
        if outputs.proba:
            proba = problem.proba.copy()
            lengths = {len(values) for values in outputs.proba.values()}
            if lengths != {problem.n_classes}:
                raise ValueError(f"give {problem.n_classes} probabilities a record, got {sorted(lengths)}")
            given = np.array(list(outputs.proba.values()), dtype=float)  # (r, k)
            sums = given.sum(axis=1)
            _refuse(outputs, name, np.abs(sums - 1) > SUM_TOLERANCE, lambda at: f"sum to {sums[at]:.4g}, not to one")
            proba[rows] = given
            return replace(problem, given_proba=proba), within
        utility = np.full(len(problem.X), min(outputs.utility.values()))
        utility[rows] = list(outputs.utility.values())
        return replace(problem, utility=utility), within
    except ValueError as error:
        raise ValidationFailedError.of(name, "invalid", sentence(error)) from error


def with_embeddings(problem: Problem, outputs: Outputs, row_of: Mapping[str, int]) -> tuple[Problem, IntArray]:
    """Return the records that have embeddings in this round as a problem of their own, and their rows, rising.

    Records asked before count as far as they have embeddings too; anchors have none.

    Raises
    ------
    ValidationFailedError
        When embeddings differ in length or hold what float32 cannot (the first such key), or another output is given of
        a record without one.
    """
    for name in ("probabilities", "utilities"):
        for at, key in enumerate(outputs.by_name[name]):
            if key not in outputs.embeddings:
                detail = f"{key[:60]!r} has no embedding; give one, or leave its output out."
                raise ValidationFailedError.of(f"{name}[{at}]", "no_embedding", detail)
    lengths = sorted({len(values) for values in outputs.embeddings.values()})
    if len(lengths) > 1:
        detail = f"Embeddings of one round are equally long; these have {lengths[0]} to {lengths[-1]} numbers."
        raise ValidationFailedError.of("embeddings", "lengths_differ", detail)
    keys = sorted(outputs.embeddings, key=row_of.__getitem__)
    rows = np.array([row_of[key] for key in keys], dtype=np.int64)
    has_one = np.isin(problem.asked.rows, rows)
    asked = Asked(
        np.searchsorted(rows, problem.asked.rows[has_one]),
        problem.asked.labels[has_one],
        problem.asked.weights[has_one],
    )
    try:
        with np.errstate(over="ignore"):  # a number too large for float32 becomes infinite, and is refused
            X = np.array([outputs.embeddings[key] for key in keys], dtype=np.float32)
        bad = {keys[row] for row in np.argwhere(~np.isfinite(X))[:, 0]}
        is_bad = np.array([key in bad for key in outputs.embeddings])
        _refuse(outputs, "embeddings", is_bad, lambda _: "hold NaN, infinity, or more than float32 can")
        metadata = {name: np.asarray(values)[rows] for name, values in problem.metadata.items()}
        turns = portfolio.among(problem.turns, rows)
        own = replace(
            problem, X=X, asked=asked, metadata=metadata, anchor=None, anchor_labels=None, said=None, turns=turns
        )
        return own, rows
    except ValueError as error:
        raise ValidationFailedError.of("embeddings", "invalid", sentence(error)) from error


def _refuse(outputs: Outputs, name: str, is_bad: BoolArray, why: Callable[[int], str]) -> None:
    """Refuse outputs of some records, in the order they were given, by the first one's key."""
    if is_bad.any():
        at = int(np.argmax(is_bad))
        key = list(outputs.by_name[name])[at]
        others = f"; so {int(is_bad.sum())} of {len(is_bad)} records" if is_bad.sum() > 1 else ""
        detail = f"The {name} of {key[:60]!r} {why(at)}{others}."
        raise ValidationFailedError.of(f"{name}[{at}]", "invalid", detail)
