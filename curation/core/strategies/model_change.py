"""Records whose label would change the model most, whichever it is.

References
----------
Settles, Craven, Ray (2008), Multiple-Instance Active Learning (expected gradient length).
"""

import numpy as np

from curation.core.arrays import BoolArray, Float32Array, FloatArray
from curation.core.problem import Problem
from curation.core.strategies.picking import top
from curation.core.strategies.registry import Scored, register


@register(
    "expected_model_change",
    needs_model=True,
    why="Its label would change the model most, whichever it is ({score:.2f})",
)
def expected_model_change(problem: Problem, allowed: BoolArray, n_picks: int, rng: np.random.Generator) -> Scored:
    """The largest gradient expected under the model's own belief."""
    return top(gradient_length(problem.proba, problem.scaled), allowed, problem.group, n_picks, rng)


def gradient_length(proba: FloatArray, X: Float32Array) -> FloatArray:
    """Return sum_c p_c |p - e_c| |(x, 1)|, shape (n,): the expected length of the log-loss gradient.

    >>> gradient_length(np.array([[1.0, 0.0]]), np.ones((1, 3), np.float32)).tolist()
    [0.0]
    """
    square = (proba * proba).sum(axis=1, keepdims=True)  # (n, 1)
    lengths = np.sqrt(np.maximum(square - 2 * proba + 1, 0.0))  # (n, k): |p - e_c|
    size = np.sqrt((X * X).sum(axis=1, dtype=np.float64) + 1)
    return np.asarray((proba * lengths).sum(axis=1) * size)
