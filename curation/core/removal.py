"""Which share of the labels is harmful, which useless: removed by value, the model retrained, and measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy import stats

from curation.core import proxy, valuation
from curation.core.arrays import Float32Array, FloatArray, IntArray

FRACTIONS: Final = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LEAST_LABELS, LEAST_SPLITS = 40, 5
MARGIN: Final = 0.01
LEVEL: Final = 0.95
_PART_OF: Final = np.array([0, 1, 0, 2, 0])
"""Of five labels of a class three train, one judges what they are worth, one measures the accuracy."""


class Order(StrEnum):
    """In which order labels are removed."""

    WORST = "worst"
    RANDOM = "random"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over splits with its interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Runs:
    """Accuracies of models trained on what was left, by split and by fraction removed.

    Attributes
    ----------
    whole
        With all training labels, shape (s,).
    scores
        With each of :data:`FRACTIONS` removed, in each order, shape (s, f).
    n_train, n_valid, n_test
        Labels of each split that train, that judge the value, and that accuracy is measured on.
    """

    whole: FloatArray
    scores: Mapping[Order, FloatArray]
    n_train: int
    n_valid: int
    n_test: int

    def change(self, order: Order, place: int) -> Interval:
        """Return the change of accuracy by removing a fraction, against all labels."""
        return self.interval(self.scores[order][:, place] - self.whole)

    def against_random(self, order: Order, place: int) -> Interval:
        """Return the accuracy by removing a fraction in an order, less that by removing as many at random."""
        return self.interval(self.scores[order][:, place] - self.scores[Order.RANDOM][:, place])

    def interval(self, values: FloatArray, level: float = LEVEL) -> Interval:
        """Return the mean of what the splits say, shape (s,), with its interval.

        Splits share records, so the variance of their mean is that of s independent ones and a part that more splits do
        not reduce. Two more splits are thought of that differ by a record each way: where all splits agree, a small
        test set still proves little.

        References
        ----------
        Nadeau, Bengio (2003), Inference for the Generalization Error, section 3 (corrected resampled t-test).
        """
        n, mean = len(values), float(values.mean())
        variance = (float(((values - mean) ** 2).sum()) + 2 / self.n_test**2) / (n + 1)
        error = np.sqrt(variance * (1 / n + self.n_test / (self.n_train + self.n_valid)))
        reach = float(stats.t.ppf((1 + level) / 2, n - 1) * error)
        return Interval(mean, mean - reach, mean + reach)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the labels with its 95 % interval; `is_shown` is false where the splits cannot tell."""

    share: float
    low: float
    high: float
    is_shown: bool


NOT_SHOWN: Final = Share(0.0, 0.0, 1.0, False)


def measure(
    X: Float32Array,
    y: IntArray,
    n_classes: int,
    *,
    n_splits: int,
    seed: int,
    told: Callable[[str], None] = lambda words: None,
) -> Runs:
    """Remove labels by their value, retrain the proxy, and measure its accuracy on labels that had no say in it.

    Parameters
    ----------
    X, y
        Scaled features, shape (n, d), and classes in [0, n_classes), shape (n,), of all labeled records.
    n_splits
        Splits into labels that train (3 of 5 of each class), judge (1 of 5) and measure (1 of 5); at least 5.
    seed
        The same seed gives the same runs; a split's generator comes from the seed and its number.
    told
        Hears of each split as it begins.

    Raises
    ------
    ValueError
        With fewer than 40 labels, one class only, or fewer than 5 splits.

    Notes
    -----
    Values are exact KNN-Shapley of the training part, judged by the judging part, anew in each split. Every split fits
    1 + 3 x 12 models. Accuracy is measured against the labels as given, wrong ones among them.
    """
    if len(y) < LEAST_LABELS:
        raise ValueError(f"{len(y)} records are labeled; removal curves need {LEAST_LABELS}")
    if len(np.unique(y)) < 2:
        raise ValueError(f"all {len(y)} labels are of one class; removal curves need two")
    if n_splits < LEAST_SPLITS:
        raise ValueError(f"{n_splits} splits were asked for; an interval needs {LEAST_SPLITS}")
    whole, scores = [], []
    for number in range(n_splits):
        told(f"Removing labels and retraining: split {number + 1} of {n_splits}")
        rng = np.random.default_rng((seed, number))
        train, valid, test = _split(y, rng)
        values = valuation.knn_shapley(X[train], y[train], X[valid], y[valid]).values
        by_value = train[np.argsort(values, kind="stable")]
        orders = {Order.WORST: by_value, Order.RANDOM: rng.permutation(train), Order.BEST: by_value[::-1]}
        whole.append(_accuracy(X, y, train, test, n_classes))
        scores.append([_curve(X, y, orders[order], test, n_classes) for order in Order])
    found = np.array(scores)  # (s, 3, f)
    return Runs(
        np.array(whole),
        {order: found[:, at] for at, order in enumerate(Order)},
        len(train),
        len(valid),
        len(test),
    )


def _split(y: IntArray, rng: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
    """Return the places that train, judge and measure, each in random order; every class in about the same shares."""
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    part = _PART_OF[(np.arange(len(y)) + rng.integers(len(_PART_OF))) % len(_PART_OF)]
    train, valid, test = (rng.permutation(order[part == number]) for number in range(3))
    return train, valid, test


def _curve(X: Float32Array, y: IntArray, order: IntArray, test: IntArray, n_classes: int) -> list[float]:
    """Return the accuracy after the first of an order are removed, for each fraction."""
    return [_accuracy(X, y, order[round(share * len(order)) :], test, n_classes) for share in FRACTIONS]


def _accuracy(X: Float32Array, y: IntArray, kept: IntArray, test: IntArray, n_classes: int) -> float:
    model = proxy.fit(X[kept], y[kept], np.ones(len(kept)), n_classes)
    return float((model.proba(X[test]).argmax(axis=1) == y[test]).mean())


def harmful(runs: Runs, margin: float = MARGIN) -> Share:
    """Return the share of the labels, the worst by value, whose removal raises accuracy.

    It is the smallest whose removal gains all that removal can gain, but for the margin (or half of the gain, where
    that is less): what is removed beyond it changes little. Shown when the gain's interval lies above 0, with all
    fractions counted in (Bonferroni). The interval runs from the last fraction before which all are proven to gain
    less than that (0 where the first is not) to the first that is proven to gain it.

    Raises
    ------
    ValueError
        When the margin is not above 0.
    """
    _check_margin(margin)
    gains = runs.scores[Order.WORST] - runs.whole[:, None]  # (s, f)
    mean = gains.mean(axis=0)  # (f,)
    best = int(mean.argmax())
    slack = min(margin, float(mean[best]) / 2)
    at = int(np.argmax(mean >= mean[best] - slack))
    if runs.interval(gains[:, at], 1 - (1 - LEVEL) / len(FRACTIONS)).low <= 0:
        return NOT_SHOWN
    short = [runs.interval(gains[:, place] - gains[:, best]) for place in range(best + 1)]
    low = next((place for place in range(at) if short[place].high >= -slack), at)
    high = next((place for place in range(at, best) if short[place].low >= -slack), best)
    return Share(FRACTIONS[at], (0.0, *FRACTIONS)[low], FRACTIONS[high], True)


def useless(runs: Runs, margin: float = MARGIN, order: Order = Order.WORST) -> Share:
    """Return the share of the labels whose removal changes accuracy by less than a margin.

    Removed worst first it is counted from where the harmful share ends, where one is shown; in other orders from 0. At
    random it is plain abundance. The interval runs from the last fraction of those whose change is proven to lie inside
    the margin to the first whose change is proven to lie outside, or to all that is left. Shown when at least one is
    proven inside.

    Raises
    ------
    ValueError
        When the margin is not above 0.
    """
    wrong = harmful(runs, margin)
    scores = np.column_stack([runs.whole, runs.scores[order]])  # (s, 1 + f)
    shares = np.array([0.0, *FRACTIONS])
    first = int(np.searchsorted(shares, wrong.share)) if wrong.is_shown and order is Order.WORST else 0
    changes = [runs.interval(scores[:, place] - scores[:, first]) for place in range(first + 1, len(shares))]
    inside = [-margin <= one.low and one.high <= margin for one in changes]
    likely = [abs(one.mean) <= margin for one in changes]
    possible = [one.low <= margin and one.high >= -margin for one in changes]
    low, share = (float(shares[first + _run(good)] - shares[first]) for good in (inside, likely))
    high = float([*shares, 1.0][first + 1 + _run(possible)] - shares[first])
    return Share(share, low, high, low > 0)


def _run(good: list[bool]) -> int:
    """Return how many are good before the first that is not."""
    return good.index(False) if False in good else len(good)


def _check_margin(margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"the margin must be above 0, got {margin:g}")
