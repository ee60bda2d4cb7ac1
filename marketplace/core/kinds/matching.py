"""Classed objects of two answers, matched one to one."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

Overlap = Callable[[Any, Any], float]


def matched_overlap(first: Sequence[Any], second: Sequence[Any], overlap: Overlap) -> float:
    """Return the overlap of the best matching summed over the pairs, over the number of different objects.

    1 when both see nothing. Objects of different classes do not match; one without a partner counts as 0.

    Parameters
    ----------
    overlap
        Of two objects of one class, 0..1 (intersection over union).

    Notes
    -----
    Each object is compared with each of its class: O(n_first x n_second) overlaps.
    """
    if not first and not second:
        return 1.0
    gain = np.zeros((len(first), len(second)))
    for row, one in enumerate(first):
        for column, two in enumerate(second):
            if one["class"] == two["class"]:
                gain[row, column] = overlap(one, two)
    rows, columns = linear_sum_assignment(-gain)
    matched = gain[rows, columns]
    return float(matched.sum() / (len(first) + len(second) - np.count_nonzero(matched)))
