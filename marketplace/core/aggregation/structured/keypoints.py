"""Keypoints: visible by weight, placed at the weighted median."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.core.aggregation.structured import weights
from marketplace.core.aggregation.structured.boxes import weighted_median

Points = Mapping[str, Sequence[float] | None]


@dataclass(frozen=True, slots=True)
class ConsensusPoint:
    """Where a point is, None when not visible; the weight that agrees on visibility; the median miss in pixels."""

    point: tuple[float, float] | None
    confidence: float
    spread: float


def consensus(answers: Sequence[Points], skills: Sequence[float] | None = None) -> dict[str, ConsensusPoint]:
    """Return each named point of one record; names come from the first answer, all must have the same.

    Raises
    ------
    ValueError
        When the answers name different points.
    """
    share = weights.of_skills(skills, len(answers))
    found = {}
    for name in answers[0]:
        if any(set(answer) != set(answers[0]) for answer in answers):
            raise ValueError("the answers name different points")
        is_seen = np.array([answer[name] is not None for answer in answers])
        seen_weight = float(share[is_seen].sum())
        if seen_weight <= 0.5:
            found[name] = ConsensusPoint(None, 1 - seen_weight, 0.0)
            continue
        places = np.array([answer[name] for answer in answers if answer[name] is not None], dtype=np.float64)
        x, y = (weighted_median(column, share[is_seen]) for column in places.T)
        misses = np.hypot(places[:, 0] - x, places[:, 1] - y)
        found[name] = ConsensusPoint((x, y), seen_weight, weighted_median(misses, share[is_seen]))
    return found
