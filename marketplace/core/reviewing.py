"""Which decided records a person looks at again, and what the job's accuracy is by what that person found."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]
EVEN_SHARE = 0.3
"""Share of the sample spread evenly: it bounds the weights, so that a confident mistake cannot blow the estimate up."""


def inclusion(uncertainty: FloatArray, n: int, *, even_share: float = EVEN_SHARE) -> FloatArray:
    """Return each record's chance of being reviewed.

    Parameters
    ----------
    uncertainty
        1 - confidence, shape (n_records,), in [0, 1].
    n
        Records to review; all of them when there are no more.
    even_share
        Part of the chance that is the same for all, in (0, 1]; the rest goes by uncertainty.

    Returns
    -------
    numpy.ndarray
        Shape (n_records,), in (0, 1], sum ``min(n, n_records)``.

    Notes
    -----
    Chances above 1 are cut there and the excess spread over the others, at most n_records times.

    Examples
    --------
    >>> inclusion(np.array([0.5, 0.1, 0.0, 0.0]), 2).round(2).tolist()
    [1.0, 0.54, 0.23, 0.23]
    """
    unsure = np.asarray(uncertainty, dtype=np.float64)
    if unsure.ndim != 1 or np.any(unsure < 0) or np.any(unsure > 1):
        raise ValueError(f"uncertainty must be ratios, got {unsure.min(initial=0)} to {unsure.max(initial=0)}")
    if n < 1 or not 0 < even_share <= 1:
        raise ValueError(f"n must be at least 1 and even_share in (0, 1], got {n} and {even_share}")
    size = len(unsure)
    if n >= size:
        return np.ones(size)
    total = unsure.sum()
    by_doubt = unsure / total if total > 0 else np.full(size, 1 / size)
    weight = even_share / size + (1 - even_share) * by_doubt
    chance = np.zeros(size)
    is_sure = np.zeros(size, dtype=np.bool_)
    while True:
        left = weight[~is_sure]
        chance[~is_sure] = (n - is_sure.sum()) * left / left.sum()
        if not np.any(chance[~is_sure] > 1):
            return chance
        is_sure |= chance >= 1
        chance[is_sure] = 1.0


def draw(chance: FloatArray, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the positions drawn: each with exactly its chance, the sum of the chances in number (systematic).

    Notes
    -----
    The records are shuffled first, so that no period in their order meets the period of the drawing.
    """
    order = rng.permutation(len(chance))
    ticks = np.floor(np.cumsum(chance[order]) - rng.random() + 1e-9)
    return np.sort(order[np.diff(ticks, prepend=-1.0) > 0])


@dataclass(frozen=True, slots=True)
class Accuracy:
    """An estimated share of right labels with its interval; ``n_effective`` evenly drawn reviews would tell as much."""

    mean: float
    low: float
    high: float
    n_reviewed: int
    n_effective: float


def estimate(is_right: FloatArray, chance: FloatArray, n_records: int, *, level: float = 0.9) -> Accuracy:
    """Return the accuracy of all records from the reviewed ones.

    Parameters
    ----------
    is_right
        1 where the reviewer confirmed the label, else 0, shape (n_reviewed,); at least one.
    chance
        The chance with which each was drawn, shape (n_reviewed,), in (0, 1].
    n_records
        Records that could have been drawn.
    level
        Probability that the interval covers the truth, in (0, 1).

    Returns
    -------
    Accuracy
        The Hajek mean and a Clopper-Pearson interval on the effective number of reviews.

    Notes
    -----
    Dividing by the sum of the weights (Hajek) instead of ``n_records`` (Horvitz-Thompson) costs a bias of order 1/n and
    saves most of the variance; the mean stays within 0..1. Without a mistake among the reviews the variance estimate is
    0 and says nothing: the number of reviews is then discounted by the spread of the weights.

    References
    ----------
    J. Hajek, "Comment on a paper by D. Basu", 1971. E. L. Korn, B. I. Graubard, "Confidence intervals for proportions
    with small expected number of positive counts estimated from survey data", Survey Methodology 24, 1998.

    Examples
    --------
    >>> found = estimate(np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.1, 0.1, 1.0, 0.5]), 23)
    >>> round(found.mean, 3), found.low < found.mean < found.high
    (0.957, True)
    """
    right, chances = np.asarray(is_right, dtype=np.float64), np.asarray(chance, dtype=np.float64)
    if len(right) == 0 or len(right) != len(chances) or np.any(chances <= 0) or np.any(chances > 1):
        raise ValueError(f"need a chance in (0, 1] for each of at least one review, got {len(right)}, {len(chances)}")
    if not 0 < level < 1 or n_records < len(right):
        raise ValueError(f"need level in (0, 1) and n_records >= reviews, got {level}, {n_records} < {len(right)}")
    weight = 1 / chances
    mean = float((weight * right).sum() / weight.sum())
    if np.all(chances >= 1) and n_records == len(right):
        return Accuracy(mean, mean, mean, len(right), float(len(right)))
    n_effective = _effective(right, weight, mean)
    tail = (1 - level) / 2
    wins, losses = mean * n_effective, (1 - mean) * n_effective
    low = 0.0 if wins == 0 else float(special.betaincinv(wins, losses + 1, tail))
    high = 1.0 if losses <= 1e-12 else float(special.betaincinv(wins + 1, losses, 1 - tail))
    return Accuracy(mean, low, high, len(right), n_effective)


def _effective(right: FloatArray, weight: FloatArray, mean: float) -> float:
    """Return how many evenly drawn reviews would have this variance, at most as many as there are."""
    kish = float(weight.sum() ** 2 / (weight**2).sum())
    n = len(right)
    if n < 2 or not 0 < mean < 1:
        return kish
    spread = n / (n - 1) * float((((right - mean) * weight) ** 2).sum()) / float(weight.sum()) ** 2
    return min(mean * (1 - mean) / spread, float(n)) if spread > 0 else kish
