"""What the next round will cost in compute, from the rounds measured so far."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls


def forecast(n_asked: Sequence[int], cpu_s: Sequence[float], at: int) -> float | None:
    """Return the CPU seconds a round is forecast to take, rather too many than too few; None before any was measured.

    Parameters
    ----------
    n_asked, cpu_s
        Records asked for at the end of each round so far, and what the round cost; shape (r,).
    at
        Records asked for at the end of the round in question, >= the last of ``n_asked``.

    Returns
    -------
    float
        With one round measured, its cost in proportion to the records. With more, a line of the records by least
        squares whose intercept and slope are not negative, plus the most that any round so far lay above it.

    Raises
    ------
    ValueError
        On lengths that differ, records not positive and rising, or costs that are negative.

    Notes
    -----
    O(r). Energy is not forecast, nor is anything put in place of rounds that were not measured.

    Examples
    --------
    >>> forecast([], [], 20), forecast([20], [1.0], 40)
    (None, 2.0)
    >>> round(forecast([20, 40, 60], [1.0, 1.5, 2.0], 80), 6)
    2.5
    """
    n, cost = np.asarray(n_asked, dtype=float), np.asarray(cpu_s, dtype=float)
    if len(n) != len(cost):
        raise ValueError(f"{len(n)} numbers of records, {len(cost)} costs; need as many")
    if not len(n):
        return None
    if n[0] <= 0 or (np.diff(n) <= 0).any() or at < n[-1] or cost.min() < 0:
        raise ValueError("records must be positive and rising up to the round in question, costs not negative")
    if len(n) == 1:
        return float(cost[0] * at / n[0])
    scaled = n / n[-1]
    (base, slope), _ = nnls(np.column_stack([np.ones(len(n)), scaled]), cost)
    above = (cost - base - slope * scaled).max()
    return float(base + slope * at / n[-1] + max(above, 0.0))
