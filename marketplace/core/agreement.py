"""Agreement statistics by name, each with a jackknife interval over records."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from marketplace.core.aggregation import Answers
from marketplace.core.aggregation.answers import FloatArray

Statistic = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A statistic: 1 perfect, 0 as by chance, negative below it; NaN when undefined; central 90 % interval."""

    name: str
    value: float
    low: float
    high: float
    n_records: int


def krippendorff_alpha(answers: Answers) -> Agreement:
    """Return Krippendorff's alpha for nominal labels; any number of answers per record, single ones are ignored.

    References
    ----------
    K. Krippendorff (2011), Computing Krippendorff's alpha-reliability, section D.

    Notes
    -----
    NaN without two answers on one record, 1 when only one class was ever given. O(records x classes).

    Examples
    --------
    >>> from marketplace.core.aggregation import encode
    >>> rows = [(1, "a", 0), (1, "b", 0), (2, "a", 1), (2, "b", 1), (3, "a", 0), (3, "b", 1)]
    >>> round(krippendorff_alpha(encode(rows).answers).value, 3)
    0.444
    """
    counts = answers.votes[answers.per_task >= 2]  # (n, K)
    sizes = counts.sum(axis=1)
    disagreement = (sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1)
    sums = np.column_stack([disagreement, sizes, counts])  # (n, 2 + K)

    def alpha(total: FloatArray) -> FloatArray:
        observed, n, classes = total[:, 0], total[:, 1], total[:, 2:]
        expected = (n**2 - (classes**2).sum(axis=1)) / (n - 1)
        return _one_minus_ratio(observed, expected)

    return _jackknife("krippendorff_alpha", sums, alpha)


def fleiss_kappa(answers: Answers) -> Agreement:
    """Return Fleiss' kappa over the records with the commonest number of answers (it needs equal numbers).

    References
    ----------
    J. L. Fleiss (1971), Measuring nominal scale agreement among many raters, equations 1 to 7.
    """
    sizes = answers.per_task
    multiple = sizes[sizes >= 2]
    n_raters = int(np.bincount(multiple).argmax()) if len(multiple) else 2
    counts = answers.votes[sizes == n_raters]
    agree = ((counts**2).sum(axis=1) - n_raters) / (n_raters * (n_raters - 1))
    sums = np.column_stack([1 - agree, np.ones(len(counts)), counts / n_raters])

    def kappa(total: FloatArray) -> FloatArray:
        shares = total[:, 2:] / total[:, 1:2]
        return _one_minus_ratio(total[:, 0] / total[:, 1], 1 - (shares**2).sum(axis=1))

    return _jackknife("fleiss_kappa", sums, kappa)


def cohen_kappa(first: npt.ArrayLike, second: npt.ArrayLike, n_classes: int) -> Agreement:
    """Return Cohen's kappa of two annotators' classes on the same records, in the same order.

    References
    ----------
    J. Cohen (1960), A coefficient of agreement for nominal scales, equation 1.

    Raises
    ------
    ValueError
        When the lengths differ or a class is out of range.

    Examples
    --------
    >>> round(cohen_kappa([0, 0, 1, 1], [0, 0, 1, 0], 2).value, 2)
    0.5
    """
    one, two = np.asarray(first), np.asarray(second)
    if one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"shapes differ: {one.shape} and {two.shape}")
    if one.size and not (min(one.min(), two.min()) >= 0 and max(one.max(), two.max()) < n_classes):
        raise ValueError(f"classes must be within 0..{n_classes - 1}")
    eye = np.eye(n_classes)
    sums = np.column_stack([one != two, np.ones(len(one)), eye[one.astype(int)], eye[two.astype(int)]])

    def kappa(total: FloatArray) -> FloatArray:
        shares = total[:, 2:] / total[:, 1:2]
        by_chance = (shares[:, :n_classes] * shares[:, n_classes:]).sum(axis=1)
        return _one_minus_ratio(total[:, 0] / total[:, 1], 1 - by_chance)

    return _jackknife("cohen_kappa", sums, kappa)


def _one_minus_ratio(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """Return 1 - observed / expected; 1 where neither observed nor expected disagreement exists."""
    is_varied = expected > 1e-12
    ratio = np.divide(observed, expected, out=np.zeros_like(observed), where=is_varied)
    return np.asarray(1 - ratio)


def _jackknife(name: str, sums: FloatArray, statistic: Statistic, level: float = 0.9) -> Agreement:
    """Return the statistic of the summed rows, its interval from leaving out one record at a time."""
    n = len(sums)
    if n == 0:
        return Agreement(name, np.nan, np.nan, np.nan, 0)
    total = sums.sum(axis=0, keepdims=True)
    value = float(statistic(total)[0])
    if n < 3:
        return Agreement(name, value, -1.0, 1.0, n)
    without = statistic(total - sums)
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return Agreement(name, value, max(value - reach, -1.0), min(value + reach, 1.0), n)
