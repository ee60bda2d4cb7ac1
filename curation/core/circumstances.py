"""What kind of pool, and how far along: the few numbers from which past runs tell which strategy is likely to serve."""

from typing import Final

import numpy as np

from curation.core import proxy
from curation.core.arrays import Float32Array, FloatArray, squared_distances
from curation.core.problem import Problem

NAMES: Final = (
    "log labels per class",
    "log classes",
    "log records",
    "log intrinsic dimension",
    "share of near copies",
    "share that cannot be labeled",
    "out-of-fold skill",
)
_SAMPLE: Final = 1000
_FARTHEST: Final = 0.9
"""Share of the ratios that tell the dimension: the largest are outliers."""


def of(problem: Problem) -> FloatArray:
    """Return the circumstances of a problem in the order of `NAMES`, shape (7,), all finite."""
    answered, n = problem.asked.answered, len(problem.X)
    rejected = float((answered.labels < 0).sum())
    return np.array(
        [
            np.log1p(len(answered.rows) / problem.n_classes),
            np.log(problem.n_classes),
            np.log(n),
            np.log(intrinsic_dimension(problem.scaled, problem.rng(6))),
            1 - len(np.unique(problem.group)) / n,
            (rejected + 0.5) / (len(answered.rows) + 5),
            skill(problem),
        ]
    )


def skill(problem: Problem) -> float:
    """Return how far above the most frequent class models are on labels they were not fitted on, in [0, 1].

    0 below two labels a fold: nothing can be told.
    """
    X, y, weights = problem.training_set
    if len(y) < 2 * proxy.N_FOLDS:
        return 0.0
    right = float((proxy.out_of_fold(X, y, weights, problem.n_classes).argmax(axis=1) == y).mean())
    usual = float(np.bincount(y).max()) / len(y)
    return max(0.0, (right - usual) / (1 - usual)) if usual < 1 else 0.0


def intrinsic_dimension(X: Float32Array, rng: np.random.Generator) -> float:
    """Return how many directions the records around a record spread in, in [1, d].

    From the ratio of the distances to the second and to the first neighbour that is no copy, among at most 1,000 rows.
    Rows nearer than float32 tells apart count as copies, which makes dense lines look wider than they are.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio (2017), Estimating the intrinsic dimension of datasets by a minimal neighborhood
    information.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> line = np.outer(rng.random(100), np.ones(6)).astype(np.float32)
    >>> round(intrinsic_dimension(line, rng))
    1
    """
    rows = X[rng.choice(len(X), size=min(_SAMPLE, len(X)), replace=False)]
    if len(rows) < 3:
        return 1.0
    distances = squared_distances(rows, rows).astype(np.float64)
    distances[distances < 1e-6 * np.median(distances)] = np.inf  # itself, and copies
    first, second = np.sqrt(np.partition(distances, 1, axis=1)[:, :2].T)
    known = np.isfinite(second) & (first > 0)
    ratios = np.sort(second[known] / first[known])
    kept = ratios[: max(1, int(_FARTHEST * len(ratios)))]
    if not len(kept) or kept[-1] <= 1:
        return 1.0
    share = np.arange(1, len(kept) + 1) / (len(ratios) + 1)
    logs = np.log(kept)
    slope = float(-(logs @ np.log1p(-share)) / max(float(logs @ logs), 1e-12))
    return float(np.clip(slope, 1.0, X.shape[1]))
