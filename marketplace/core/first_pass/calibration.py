"""From which confidence a model's labels may stand without a person, and whether those that stand are still good."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import isotonic_regression

from marketplace.core import reviewing

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
LEAST_EVIDENCE = 100
"""Blind records below which no threshold is set."""
LEVEL = 0.95
"""Probability that a threshold keeps the required accuracy."""
AUDIT_WINDOW = 100
"""Newest audited records that tell whether accuracy has fallen."""
ALARM_LEVEL = 0.9
"""Certainty at which auto-accept is switched off."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A threshold, or None with the reason why there is none.

    Attributes
    ----------
    threshold
        The lowest confidence at which a label may stand.
    n
        Blind records that it rests on, all of them.
    n_above, accuracy, accuracy_low
        Of those at or above the threshold (without one: of all): how many, how many were right, the lower bound.
    why
        In words.
    """

    threshold: float | None
    n: int
    n_above: int
    accuracy: float | None
    accuracy_low: float | None
    why: str
    _confidence: FloatArray = field(repr=False, default_factory=lambda: np.zeros(0))
    _fitted: FloatArray = field(repr=False, default_factory=lambda: np.zeros(0))

    def accuracy_at(self, confidence: float) -> float:
        """Return the accuracy believed of a label of this confidence; never 1.

        Raises
        ------
        ValueError
            When there is no evidence at all.
        """
        if not len(self._confidence):
            raise ValueError("no blind record tells anything about this model")
        at = float(np.interp(confidence, self._confidence, self._fitted))
        return min(at, 1 - 1 / (self.n + 2))


def lower_bound(n_right: float, n: float, level: float) -> float:
    """Return the one-sided lower bound of a share (Clopper, Pearson 1934).

    >>> round(lower_bound(100, 100, 0.95), 3), lower_bound(0, 5, 0.95)
    (0.97, 0.0)
    """
    return 0.0 if n_right <= 0 else float(special.betaincinv(n_right, n - n_right + 1, 1 - level))


def calibrate(
    confidence: FloatArray,
    is_right: BoolArray,
    *,
    required: float,
    least: int = LEAST_EVIDENCE,
    level: float = LEVEL,
) -> Calibration:
    """Return the lowest confidence from which a model is as right as required.

    Parameters
    ----------
    confidence
        The model's, of records that people labeled without seeing its label, shape (n,), in [0, 1].
    is_right
        Whether its label is the one that people's answers led to, shape (n,).
    required
        Accuracy that labels taken without a person must have, in (0, 1).
    least
        Records below which nothing is said; default 100, as fewer, all right, barely prove 97 %.
    level
        Probability that the accuracy above the threshold is what is required, in (0, 1).

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        When lengths differ, or a number is out of range or not finite.

    Notes
    -----
    Looked at are the most confident ``least``, twice, four times as many, and all: which ones depends on confidences
    alone. The lower bound of each share pays for all looks (Bonferroni). The marginal record has to be good as well:
    the isotonic fit at the threshold must reach what is required, so that sure records carry no unsure ones.
    O(n log n). Deterministic.

    References
    ----------
    A. Angelopoulos et al., "Learn then test: calibrating predictive algorithms to achieve risk control", 2021.

    Examples
    --------
    >>> sure = np.linspace(0.5, 1, 400)
    >>> found = calibrate(sure, sure > 0.75, required=0.9)
    >>> found.threshold > 0.7, calibrate(sure[:50], sure[:50] > 0, required=0.9).threshold
    (True, None)
    """
    values, right = np.asarray(confidence, dtype=np.float64), np.asarray(is_right, dtype=np.float64)
    if len(values) != len(right):
        raise ValueError(f"{len(values)} confidences, {len(right)} outcomes")
    if not (np.all((values >= 0) & (values <= 1)) and 0 < required < 1 and 0 < level < 1 and least >= 1):
        raise ValueError(f"need ratios and least >= 1, got required {required}, level {level}, least {least}")
    order = np.argsort(values, kind="stable")
    values, right = values[order], right[order]
    fitted = _monotone(values, right)
    found = _lowest(values, right, fitted, required=required, least=least, level=level)
    if found is not None:
        start, low = found
        above = right[start:]
        why = f"The upper {len(above)} of {len(right)} blind records are right at least {low:.1%} of the time."
        return Calibration(float(values[start]), len(right), len(above), float(above.mean()), low, why, values, fitted)
    accuracy = float(right.mean()) if len(right) else None
    least_accuracy = lower_bound(right.sum(), len(right), level) if len(right) else None
    if len(right) < least:
        why = f"{len(right)} blind records are decided; {least} are needed."
    else:
        why = f"At no confidence is it shown that {required:.1%} are right."
    return Calibration(None, len(right), len(right), accuracy, least_accuracy, why, values, fitted)


def _monotone(values: FloatArray, right: FloatArray) -> FloatArray:
    """Return the accuracy that rises with confidence and fits best, shape (n,); equal confidences share one."""
    if not len(values):
        return np.zeros(0)
    _, where, count = np.unique(values, return_inverse=True, return_counts=True)
    means = np.bincount(where, right) / count
    return np.asarray(isotonic_regression(means, weights=count).x)[where]


def _lowest(
    values: FloatArray, right: FloatArray, fitted: FloatArray, *, required: float, least: int, level: float
) -> tuple[int, float] | None:
    """Return where the longest good tail starts, and its lower bound."""
    n = len(values)
    sizes = sorted({min(least * 2**power, n) for power in range(32) if least * 2**power < 2 * n}) if n >= least else []
    each = 1 - (1 - level) / max(len(sizes), 1)
    best = None
    for size in sizes:
        start = int(np.searchsorted(values, values[n - size], side="left"))
        low = lower_bound(right[start:].sum(), n - start, each)
        if low >= required and fitted[start] >= required:
            best = start, low
    return best


@dataclass(frozen=True, slots=True)
class Audit:
    """Accuracy of the labels taken without a person, from the share of them that people labeled; None before any."""

    n: int
    mean: float | None
    low: float | None
    high: float | None
    is_failing: bool


def audit(
    is_right: BoolArray, blind_chance: FloatArray, n_trusted: int, *, required: float, level: float = ALARM_LEVEL
) -> Audit:
    """Return what people found of the records at or above the threshold, newest last.

    Parameters
    ----------
    is_right
        Whether the model's label is the one people's answers led to, shape (n,), in order of time.
    blind_chance
        The chance with which each went to people, shape (n,), in (0, 1].
    n_trusted
        All records at or above the threshold.
    required
        Accuracy below which auto-accept ends, in (0, 1).
    level
        Certainty that it is below, in (0, 1). Every look takes its chance of a false alarm: ending it errs to the safe
        side, and a person may start it again.

    Notes
    -----
    Mean and interval weigh each record by the inverse of its chance, hence hold for all records above the threshold.
    The alarm looks at the newest :data:`AUDIT_WINDOW` only, as a model ages.

    Examples
    --------
    >>> audit(np.arange(40) % 4 > 0, np.full(40, 0.1), 400, required=0.9).is_failing
    True
    """
    right, chance = np.asarray(is_right, dtype=np.float64), np.asarray(blind_chance, dtype=np.float64)
    if not len(right):
        return Audit(0, None, None, None, is_failing=False)
    whole = reviewing.estimate(right, chance, max(n_trusted, len(right)))
    newest = reviewing.estimate(right[-AUDIT_WINDOW:], chance[-AUDIT_WINDOW:], max(n_trusted, len(right)))
    wins = newest.mean * newest.n_effective
    upper = 1.0 if newest.mean >= 1 else float(special.betaincinv(wins + 1, newest.n_effective - wins, level))
    return Audit(len(right), whole.mean, whole.low, whole.high, is_failing=upper < required)
