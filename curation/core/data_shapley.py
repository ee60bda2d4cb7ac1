"""What each record of a small set is worth by any utility: data Shapley values by Monte Carlo, with their errors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from curation.core.arrays import FloatArray, IntArray

MOST_SAMPLED: Final = 2000
"""Records that Monte Carlo takes at most: a permutation costs as many trainings as there are records."""

Utility = Callable[[IntArray], float]


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimated values and their standard errors, each shape (n,), and how they came about.

    Attributes
    ----------
    whole, nothing
        Utility of all records and of none; the values sum to the difference, but for what truncation left out.
    is_settled
        Whether every standard error came down to what was wanted.
    """

    values: FloatArray
    errors: FloatArray
    whole: float
    nothing: float
    n_permutations: int
    is_settled: bool


def monte_carlo(
    n: int,
    utility: Utility,
    *,
    rng: np.random.Generator,
    target_error: float,
    tolerance: float = 0.0,
    least: int = 30,
    most: int = 3000,
) -> Estimates:
    """Return data Shapley values of any utility, with standard errors, by truncated Monte Carlo.

    Parameters
    ----------
    n
        Records, 1 to 2,000.
    utility
        What a set of records, given by its sorted places in [0, n), is worth; the empty set too. Finite.
    rng
        Draws the permutations.
    target_error
        Standard error that no record's value may exceed in the end, in the unit of the utility, > 0.
    tolerance
        A permutation ends where the utility is this near to that of all records: what comes later counts as worth
        nothing there, which saves most of the work and biases the values. 0 (default) truncates nothing.
    least, most
        Permutations before the errors are believed, >= 2, and at which to give up.

    Raises
    ------
    ValueError
        When n, an option, or what the utility returns cannot be used.

    Notes
    -----
    Up to n evaluations a permutation. A record's standard error is that of the mean of its contributions, which are
    independent from one permutation to the next.

    References
    ----------
    Ghorbani, Zou (2019), Data Shapley: Equitable Valuation of Data for Machine Learning, algorithm 1.

    Examples
    --------
    >>> found = monte_carlo(3, lambda rows: float(len(rows)), rng=np.random.default_rng(0), target_error=0.1)
    >>> found.values.tolist(), found.n_permutations, found.is_settled
    ([1.0, 1.0, 1.0], 30, True)
    """
    if not 1 <= n <= MOST_SAMPLED:
        raise ValueError(f"Monte Carlo takes 1 to {MOST_SAMPLED} records, got {n}; value more by knn_shapley")
    if not target_error > 0 or not tolerance >= 0 or not 2 <= least <= most:
        raise ValueError(
            "need target_error > 0, tolerance >= 0 and 2 <= least <= most, "
            f"got {target_error:g}, {tolerance:g}, {least} and {most}"
        )
    whole, nothing = (_finite(utility, rows) for rows in (np.arange(n), np.empty(0, np.int64)))
    mean, squares = np.zeros(n), np.zeros(n)
    errors: FloatArray = np.full(n, np.inf)
    for count in range(1, most + 1):
        gains = _contributions(rng.permutation(n), utility, nothing, whole, tolerance)
        before = gains - mean
        mean += before / count
        squares += before * (gains - mean)
        if count >= least:
            errors = np.sqrt(squares / (count - 1) / count)
            if errors.max() <= target_error:
                return Estimates(mean, errors, whole, nothing, count, True)
    return Estimates(mean, errors, whole, nothing, most, False)


def _contributions(order: IntArray, utility: Utility, nothing: float, whole: float, tolerance: float) -> FloatArray:
    """Return what each record adds to those before it, shape (n,); 0 from where the rest no longer matters."""
    gains = np.zeros(len(order))
    reached = nothing
    for n_before, row in enumerate(order.tolist()):
        if tolerance and abs(whole - reached) <= tolerance:
            break
        now = _finite(utility, np.sort(order[: n_before + 1]))
        gains[row] = now - reached
        reached = now
    return gains


def _finite(utility: Utility, rows: IntArray) -> float:
    worth = float(utility(rows))
    if not np.isfinite(worth):
        raise ValueError(f"the utility of {len(rows)} records is {worth}, not a finite number")
    return worth
