"""Classes that good annotators confuse more often than slips explain: the guideline, not the annotator, is unclear."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

IntArray = npt.NDArray[np.int64]
GOOD_FROM = 0.7
"""Share of answers that agree with the decided labels from which an annotator's confusion tells of the guideline."""
FALSE_DISCOVERY = 0.05
"""Expected share of pairs named by chance among those named."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two classes (first < second) given for one another ``observed`` times where slips explain ``expected``."""

    first: int
    second: int
    observed: int
    expected: float
    p_value: float


def is_good(
    truth: IntArray, given: IntArray, annotator: IntArray, *, good_from: float = GOOD_FROM
) -> npt.NDArray[np.bool_]:
    """Return for each answer whether its annotator agrees often enough overall, shape (n_answers,)."""
    n = np.bincount(annotator)
    right = np.bincount(annotator, truth == given)
    return np.asarray((right / np.maximum(n, 1))[annotator] >= good_from)


def confused_pairs(
    truth: IntArray,
    given: IntArray,
    annotator: IntArray,
    n_classes: int,
    *,
    good_from: float = GOOD_FROM,
    false_discovery: float = FALSE_DISCOVERY,
) -> list[Pair]:
    """Return the pairs of classes that good annotators confuse more often than their slips explain.

    Parameters
    ----------
    truth, given
        Decided and given class of each answer, shape (n_answers,), 0 .. n_classes - 1.
    annotator
        Who gave it, shape (n_answers,), 0 ..
    good_from
        Least overall agreement of an annotator to be heard, in [0, 1].
    false_discovery
        Level of the Benjamini-Hochberg selection over all pairs, in (0, 1).

    Returns
    -------
    list of Pair
        Most surprising first.

    Notes
    -----
    A slip falls on each other class alike, as often as the annotator errs: that many confusions of a pair are expected,
    and the observed number is held against the Poisson law. O(n_answers + n_classes^2).

    References
    ----------
    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", JRSS B 57, 1995.

    Examples
    --------
    >>> truth = np.repeat([0, 1, 2], 40)
    >>> given = truth.copy()
    >>> given[:12] = 1  # 0 is often called 1
    >>> [(pair.first, pair.second, pair.observed) for pair in confused_pairs(truth, given, truth * 0, 3)]
    [(0, 1, 12)]
    """
    if not len(truth) == len(given) == len(annotator):
        raise ValueError(f"need one truth and annotator per answer, got {len(truth)}, {len(given)}, {len(annotator)}")
    if n_classes < 3 or not len(truth):
        return []  # between two classes every mistake is the same confusion: nothing stands out
    heard = is_good(truth, given, annotator, good_from=good_from)
    true, said, who = truth[heard], given[heard], annotator[heard]
    table = np.zeros((n_classes, n_classes))
    np.add.at(table, (true, said), 1)
    error = np.bincount(who, true != said) / np.maximum(np.bincount(who), 1)
    slips = np.bincount(true, error[who], minlength=n_classes) / (n_classes - 1)  # (true,)
    first, second = np.triu_indices(n_classes, k=1)
    observed = table[first, second] + table[second, first]
    expected = slips[first] + slips[second]
    p_value = stats.poisson.sf(observed - 1, np.maximum(expected, 1e-12))
    named = stats.false_discovery_control(p_value) <= false_discovery
    found = [
        Pair(int(a), int(b), int(n), float(e), float(p))
        for a, b, n, e, p in zip(
            first[named], second[named], observed[named], expected[named], p_value[named], strict=True
        )
    ]
    return sorted(found, key=lambda pair: (pair.p_value, pair.first, pair.second))


def change_p_value(confused_before: int, n_before: int, confused_after: int, n_after: int) -> float:
    """Return how probable so unequal shares of confusion are if nothing changed (Fisher, two-sided).

    Examples
    --------
    >>> round(change_p_value(20, 60, 3, 60), 4), change_p_value(0, 0, 1, 5)
    (0.0001, 1.0)
    """
    if not (0 <= confused_before <= n_before and 0 <= confused_after <= n_after):
        raise ValueError(f"got {confused_before} of {n_before} and {confused_after} of {n_after}")
    table = [[confused_before, n_before - confused_before], [confused_after, n_after - confused_after]]
    return float(stats.fisher_exact(table).pvalue)
