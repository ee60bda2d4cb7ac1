"""Minimum plausible work time, learnt from accepted work."""

import numpy as np
import numpy.typing as npt

LEAST_OBSERVATIONS = 100
"""Accepted answers with a time below which no minimum is set."""


def shortest_plausible_s(seconds: npt.ArrayLike) -> float | None:
    """Return the 1st percentile of accepted work times in seconds, or None while there are too few.

    Examples
    --------
    >>> shortest_plausible_s([3.0] * 99) is None, shortest_plausible_s([3.0] * 100)
    (True, 3.0)
    """
    times = np.asarray(seconds, dtype=np.float64)
    times = times[np.isfinite(times)]
    if len(times) < LEAST_OBSERVATIONS:
        return None
    return float(np.percentile(times, 1))
