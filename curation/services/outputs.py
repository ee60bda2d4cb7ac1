"""What the customer's own model says of records in a round, put into the selection problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from common.errors import ValidationFailedError
from curation.core.arrays import BoolArray
from curation.core.problem import Problem
from curation.errors import sentence


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the customer's own model says in a round: by key, probabilities over the classes or a utility."""

    proba: Mapping[str, Sequence[float]] = field(default_factory=dict)
    utility: Mapping[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.proba or self.utility)


def with_outputs(problem: Problem, outputs: Outputs, row_of: Mapping[str, int]) -> tuple[Problem, BoolArray]:
    """Return the problem with the customer's outputs in it, and which rows they speak of (the ones to choose among).

    Raises
    ------
    ValidationFailedError
        When both kinds are given, or probabilities do not fit the classes or do not sum to one.
    """
    if outputs.proba and outputs.utility:
        raise ValidationFailedError.of("utilities", "one_of", "Give probabilities or utilities, not both.")
    name = "probabilities" if outputs.proba else "utilities"
    rows = [row_of[key] for key in (outputs.proba or outputs.utility)]
    within = np.zeros(len(problem.X), dtype=np.bool_)
    within[rows] = True
    try:
        if outputs.proba:
            proba = problem.proba.copy()
            lengths = {len(values) for values in outputs.proba.values()}
            if lengths != {problem.n_classes}:
                raise ValueError(f"give {problem.n_classes} probabilities a record, got {sorted(lengths)}")
            proba[rows] = list(outputs.proba.values())
            return replace(problem, given_proba=proba), within
        utility = np.full(len(problem.X), min(outputs.utility.values()))
        utility[rows] = list(outputs.utility.values())
        return replace(problem, utility=utility), within
    except ValueError as error:
        raise ValidationFailedError.of(name, "invalid", sentence(error)) from error
