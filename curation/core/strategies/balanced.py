"""An even number of labels per class.

References
----------
Bengar et al. (2022), Class-Balanced Active Learning for Image Classification (the greedy form, simplified).
"""

import numpy as np

from curation.core.arrays import BoolArray
from curation.core.problem import Problem
from curation.core.strategies.registry import Scored, register


@register(
    "class_balanced",
    needs_model=True,
    why="It probably belongs to a class with few labels so far, and the model is unsure of it",
)
def class_balanced(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """Greedily the record whose expected label helps the rarest classes most, weighted by margin uncertainty."""
    proba, uncertain = problem.proba, problem.uncertainty
    have = problem.labels_per_class + 0.0
    goal = (have.sum() + n_picks) / problem.n_classes
    jitter = 1e-9 * rng.random(len(proba))
    free = allowed.copy()
    rows: list[int] = []
    gains: list[float] = []
    while len(rows) < n_picks and free.any():
        lack = np.maximum(goal - have, 0.0) / max(goal, 1.0)  # (k,)
        worth = (proba @ lack) * (0.1 + uncertain) + jitter
        row = int(np.where(free, worth, -np.inf).argmax())
        rows.append(row)
        gains.append(float(worth[row]))
        have += proba[row]
        free &= problem.group != problem.group[row]
    return Scored(np.array(rows, dtype=np.int64), np.array(gains))
