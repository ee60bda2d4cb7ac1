"""What people's own choices bring beside the machine's: how many can be labeled, and whether classes shift."""

from dataclasses import dataclass

import numpy as np

from curation.core.arrays import IntArray
from curation.core.evaluation import wilson


@dataclass(frozen=True, slots=True)
class Yield:
    """Share of the records answered that turned out usable, with its 95 % Wilson interval."""

    n_back: int
    n_usable: int
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How far two mixes of classes lie apart, from 0 (equal) to 1 (no class in common), and how likely by chance."""

    distance: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One choice against another: difference of the yields with its 95 % interval, drift of the classes, in words."""

    difference: float
    low: float
    high: float
    drift: Drift | None
    words: str


def label_yield(n_usable: int, n_back: int) -> Yield | None:
    """Return the share of usable records among those that came back; None when nothing has.

    Raises
    ------
    ValueError
        When more are usable than came back, or a count is negative.

    Examples
    --------
    >>> found = label_yield(8, 10)
    >>> found.ratio, round(found.low, 3), round(found.high, 3)
    (0.8, 0.49, 0.943)
    >>> label_yield(0, 0) is None
    True
    """
    if not 0 <= n_usable <= n_back:
        raise ValueError(f"need 0 <= n_usable <= n_back, got {n_usable} and {n_back}")
    if n_back == 0:
        return None
    low, high = wilson(n_usable, n_back)
    return Yield(n_back, n_usable, n_usable / n_back, low, high)


def difference(one: Yield, other: Yield) -> tuple[float, float, float]:
    """Return how much higher the first yield is than the second, with a 95 % interval.

    References
    ----------
    Newcombe (1998), Interval Estimation for the Difference between Independent Proportions, method 10.

    Examples
    --------
    The first example of the paper's table II:

    >>> [round(figure, 4) for figure in difference(label_yield(56, 70), label_yield(48, 80))]
    [0.2, 0.0524, 0.3339]
    """
    between = one.ratio - other.ratio
    down = np.hypot(one.ratio - one.low, other.high - other.ratio)
    up = np.hypot(one.high - one.ratio, other.ratio - other.low)
    return between, between - float(down), between + float(up)


def drift(counts: IntArray, other: IntArray, *, rng: np.random.Generator, n_draws: int = 1000) -> Drift | None:
    """Return the total variation between two class mixes and the chance of one as large were there no difference.

    Parameters
    ----------
    counts, other
        Labels by class, shape (k,), >= 0.
    rng
        Draws the permutations.
    n_draws
        Permutations, >= 1; the p-value is no smaller than 1 / (n_draws + 1). Default 1,000: .05 is told to within .014.

    Returns
    -------
    None when either mix is empty.

    Raises
    ------
    ValueError
        When the shapes differ, a count is negative, or there is no draw.

    Notes
    -----
    A permutation of the pooled labels needs only its class counts, a multivariate hypergeometric draw: time
    O(n_draws k') for the k' classes that occur, however many labels there are. The p-value counts the observed mix
    among the draws, so that it is valid at any n_draws (Phipson and Smyth).

    References
    ----------
    Phipson and Smyth (2010), Permutation P-values Should Never Be Zero, eq. 2.

    Examples
    --------
    >>> drift(np.array([30, 0]), np.array([0, 30]), rng=np.random.default_rng(0)).distance
    1.0
    """
    if counts.shape != other.shape or counts.ndim != 1:
        raise ValueError(f"need counts of the same classes, got the shapes {counts.shape} and {other.shape}")
    if n_draws < 1 or min(counts.min(initial=0), other.min(initial=0)) < 0:
        raise ValueError(f"need at least one draw and no negative count, got {n_draws} draws")
    n_here, n_there, is_there = int(counts.sum()), int(other.sum()), counts + other > 0
    if not n_here or not n_there:
        return None
    pooled = (counts + other)[is_there]  # (k',)
    drawn = rng.multivariate_hypergeometric(pooled, n_here, size=n_draws, method="marginals")  # (n_draws, k')
    at_chance = np.abs(drawn / n_here - (pooled - drawn) / n_there).sum(axis=1) / 2  # (n_draws,)
    distance = float(np.abs(counts / n_here - other / n_there).sum() / 2)
    n_as_large = int((at_chance >= distance - 1e-12).sum())
    return Drift(distance, (1 + n_as_large) / (1 + n_draws))


def compare(
    counts: IntArray, n_back: int, other: IntArray, n_other_back: int, *, rng: np.random.Generator
) -> Comparison | None:
    """Return one choice against another, from their labels by class and how many answers came back for each.

    None while nothing came back for either.
    """
    one, two = label_yield(int(counts.sum()), n_back), label_yield(int(other.sum()), n_other_back)
    if one is None or two is None:
        return None
    between, low, high = difference(one, two)
    apart = drift(counts, other, rng=rng)
    return Comparison(between, low, high, apart, _words(between, low, high, apart))


def _words(between: float, low: float, high: float, apart: Drift | None) -> str:
    clear = "More" if low > 0 else "Fewer" if high < 0 else "No clear difference in"
    text = f"{clear} usable labels: {100 * between:+.0f} points (95 %: {100 * low:+.0f} to {100 * high:+.0f})"
    if apart is None:
        return f"{text}."
    told = "other classes came back" if apart.p_value < 0.05 else "no clear difference in classes"
    return f"{text}; {told} (total variation {apart.distance:.2f}, p = {apart.p_value:.2g})."
