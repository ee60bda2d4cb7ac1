"""How much each annotator counts in a consensus."""

from collections.abc import Sequence

import numpy as np

from marketplace.core.aggregation.answers import FloatArray


def of_skills(skills: Sequence[float] | None, count: int) -> FloatArray:
    """Return weights that sum to 1: log-odds of each skill, floored so that nobody counts for nothing.

    Raises
    ------
    ValueError
        When the number of skills differs from that of the answers, a skill is outside (0, 1), or nobody answered.

    Examples
    --------
    >>> of_skills(None, 4).tolist(), of_skills([0.9, 0.6], 2).round(2).tolist()
    ([0.25, 0.25, 0.25, 0.25], [0.84, 0.16])
    """
    if count < 1:
        raise ValueError("a consensus needs at least 1 answer, got 0")
    if skills is None:
        return np.full(count, 1 / count)
    if len(skills) != count:
        raise ValueError(f"{len(skills)} skills for {count} answers")
    values = np.asarray(skills, dtype=np.float64)
    if not np.all((values > 0) & (values < 1)):
        raise ValueError(f"skills must be within (0, 1), got {values.min()} to {values.max()}")
    odds = np.maximum(np.log(values / (1 - values)), 0.1)
    return np.asarray(odds / odds.sum())
