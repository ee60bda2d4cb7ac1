"""Adaptive overlap: which records need another answer, and what it is worth.

Rule for lone answers: the posterior of a record with a single answer only repeats what is believed of its author, so it
never counts as confident, unless that annotator is proven on gold.
"""

from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
from scipy import special

from marketplace.core.aggregation import Answers
from marketplace.core.aggregation.answers import BoolArray, FloatArray

PROVEN_LEVEL = 0.9
"""Share of belief in the central interval whose lower end an annotator's gold accuracy must clear to be proven."""
PATIENCE = 0.05
"""Fall of the target confidence for every answer beyond two."""
MAX_HORIZON = 5
"""Answers that :func:`value_of_next_answer` looks ahead at most: the ways they can fall grow fast."""


def is_proven(gold_hits: npt.ArrayLike, gold_correct: npt.ArrayLike, *, floor: float = 0.9) -> BoolArray:
    """Return which annotators are proven: lower end of the Beta(1, 1) posterior of gold accuracy at least ``floor``.

    Parameters
    ----------
    gold_hits, gold_correct
        Gold records answered and answered rightly, shape (n_annotators,).
    floor
        Accuracy to prove, in (0, 1); give the job's target confidence or a little less.

    Raises
    ------
    ValueError
        When an annotator has more correct gold answers than gold answers.

    Examples
    --------
    >>> is_proven([50, 5], [50, 5]).tolist()
    [True, False]
    """
    hits, correct = np.asarray(gold_hits, dtype=np.float64), np.asarray(gold_correct, dtype=np.float64)
    if np.any(correct > hits) or np.any(correct < 0):
        raise ValueError(f"gold_correct must be within 0..gold_hits, got {correct} of {hits}")
    lower = special.betaincinv(correct + 1, hits - correct + 1, (1 - PROVEN_LEVEL) / 2)
    return np.asarray(lower >= floor)


def answered_by_proven(answers: Answers, proven: npt.ArrayLike) -> BoolArray:
    """Return which records have an answer of a proven annotator, shape (n_tasks,)."""
    flags = np.zeros(answers.n_tasks, dtype=np.bool_)
    flags[answers.task[np.asarray(proven, dtype=np.bool_)[answers.annotator]]] = True
    return flags


def needs_another(
    posterior: FloatArray,
    n_answers: npt.ArrayLike,
    *,
    target_confidence: float = 0.95,
    min_answers: npt.ArrayLike = 2,
    max_answers: npt.ArrayLike = 5,
    patience: float = PATIENCE,
    has_proven_answer: npt.ArrayLike = False,
) -> BoolArray:
    """Return which records need another answer.

    Parameters
    ----------
    posterior
        Shape (n_tasks, n_classes), rows sum to 1.
    n_answers
        Answers of different annotators so far, shape (n_tasks,).
    target_confidence
        Stop at this posterior, in (0, 1). Default 0.95: no gold-free posterior deserves a claim above 0.99.
    min_answers, max_answers
        One number, or one per record: the calibration slice takes a higher minimum.
    patience
        The target falls by this for every answer beyond two, >= 0: a record that stays in dispute is seldom settled by
        one more answer, so the same labels do more elsewhere. 0 for a fixed target.
    has_proven_answer
        Shape (n_tasks,): a proven annotator answered, so that one confident answer may be enough.

    Returns
    -------
    numpy.ndarray
        Shape (n_tasks,), bool. Always True without an answer; False at ``max_answers`` (unless that is 0 answers).

    Raises
    ------
    ValueError
        When the target is outside (0, 1), patience negative, a minimum exceeds its maximum, or lengths differ.

    Examples
    --------
    >>> belief = np.array([[0.99, 0.01], [0.99, 0.01], [0.7, 0.3], [0.6, 0.4]])
    >>> needs_another(belief, [1, 2, 2, 5]).tolist()
    [True, False, True, False]
    """
    counts = np.asarray(n_answers)
    least, most = np.asarray(min_answers), np.asarray(max_answers)
    if not 0 < target_confidence < 1:
        raise ValueError(f"target_confidence must be in (0, 1), got {target_confidence}")
    if patience < 0:
        raise ValueError(f"patience must be at least 0, got {patience}")
    if np.any(least > most) or np.any(most < 1):
        raise ValueError(f"need 1 <= max_answers and min_answers <= max_answers, got {least} and {most}")
    if posterior.shape[0] != len(counts):
        raise ValueError(f"posterior has {posterior.shape[0]} records, n_answers {len(counts)}")
    is_confident = posterior.max(axis=1) >= target_confidence - patience * np.maximum(counts - 2, 0)
    is_enough = (counts >= np.maximum(least, 2)) | ((counts >= 1) & np.asarray(has_proven_answer))
    return np.asarray((counts == 0) | ((counts < most) & ~(is_confident & is_enough)))


def calibration_slice(n_tasks: int, rng: np.random.Generator, *, share: float = 0.1) -> BoolArray:
    """Return a random slice of the records that shall get the maximum of answers whatever the posterior says.

    Skills and calibration are learnt there; stopping on the posterior alone confirms itself.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in 0..1, got {share}")
    chosen = np.zeros(n_tasks, dtype=np.bool_)
    chosen[rng.choice(n_tasks, size=round(share * n_tasks), replace=False)] = True
    return chosen


def expected_gain(posterior: FloatArray, confusion: FloatArray, cost: FloatArray | None = None) -> FloatArray:
    """Return by how much one more answer is expected to lower the loss of each record's label.

    Parameters
    ----------
    posterior
        Shape (n_tasks, n_classes).
    confusion
        P(given | true) of the next available annotator at [true, given], rows sum to 1; "given" may be anything that is
        observed, so there may be more columns than classes.
    cost
        Loss of delivering class d for true class t at [t, d], >= 0, in the unit of the price; None for 0 and 1.

    Returns
    -------
    numpy.ndarray
        Shape (n_tasks,), >= 0, in the unit of ``cost``. Divide by the price of the answer to rank.

    Notes
    -----
    O(n_tasks x n_classes^3). Myopic: one answer seldom flips the label, so use it to order, and stop by
    :func:`needs_another`; as a stopping rule it stops too early.

    Examples
    --------
    >>> expert = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> expected_gain(np.array([[0.5, 0.5], [0.99, 0.01]]), expert).round(2).tolist()
    [0.4, 0.0]
    """
    n_classes = posterior.shape[1]
    loss = np.asarray(1 - np.eye(n_classes) if cost is None else cost, dtype=np.float64)
    if confusion.ndim != 2 or len(confusion) != n_classes or loss.shape != (n_classes, n_classes):
        raise ValueError(f"confusion {confusion.shape} and cost {loss.shape} must be ({n_classes}, {n_classes})")
    now = (posterior @ loss).min(axis=1)
    then = np.zeros(len(posterior))
    for given in range(confusion.shape[1]):
        joint = posterior * confusion[:, given]  # (n_tasks, n_classes)
        then += (joint @ loss).min(axis=1)
    return np.asarray(np.maximum(now - then, 0.0))


def value_of_next_answer(
    posterior: FloatArray,
    confusion: FloatArray,
    price: npt.ArrayLike,
    *,
    record_value: npt.ArrayLike = 1.0,
    cost: FloatArray | None = None,
    horizon: int = 3,
) -> FloatArray:
    """Return what the next answer on each record is worth per unit of its price: the scale that curation shares.

    ``expected gain in accuracy x value of a right record / price``. A new record's value on the same scale is the
    accuracy that its label is expected to add, times the same value, over the price of labeling it; whichever is higher
    comes first, and nothing below 1 is worth its price.

    Parameters
    ----------
    posterior
        Calibrated beliefs, shape (n_tasks, n_classes).
    confusion
        P(given | true) of the next available annotator at [true, given], rows sum to 1.
    price
        Of one answer, > 0: one number, or one per record.
    record_value
        What a right label is worth more than a wrong one, >= 0, in the unit of the price; one number or one per record.
    cost
        Loss of delivering class d for true class t at [t, d] relative to ``record_value``; None for 0 and 1.
    horizon
        Answers looked ahead, 1 to 5. One answer alone seldom flips a label, two may: the value is the best mean gain
        per answer of buying 1, 2 .. ``horizon`` from such annotators. 1 is the myopic value.

    Returns
    -------
    numpy.ndarray
        Shape (n_tasks,), >= 0.

    Raises
    ------
    ValueError
        When a price is not positive, a record value negative, the horizon out of range or a shape wrong.

    Notes
    -----
    Answers are taken as independent given the truth, an upper bound for the later ones. O(n_tasks x n_classes^2 x ways
    to share ``horizon`` answers among the classes).

    Examples
    --------
    >>> expert = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> belief = np.array([[0.5, 0.5], [0.95, 0.05]])
    >>> value_of_next_answer(belief, expert, 0.1, horizon=1).round(2).tolist()
    [4.0, 0.0]
    >>> value_of_next_answer(belief, expert, 0.1).round(2).tolist()
    [4.0, 0.16]
    """
    prices = np.broadcast_to(np.asarray(price, dtype=np.float64), len(posterior))
    values = np.broadcast_to(np.asarray(record_value, dtype=np.float64), len(posterior))
    if np.any(prices <= 0) or np.any(values < 0):
        raise ValueError(f"need prices > 0 and record values >= 0, got {prices.min()} and {values.min()}")
    if not 1 <= horizon <= MAX_HORIZON:
        raise ValueError(f"horizon must be within 1..{MAX_HORIZON}, got {horizon}")
    gains = [
        expected_gain(posterior, _of_several(confusion, n_answers), cost) / n_answers
        for n_answers in range(1, horizon + 1)
    ]
    return np.asarray(np.max(gains, axis=0) * values / prices)


def _of_several(confusion: FloatArray, n_answers: int) -> FloatArray:
    """Return P(how many of the answers name each class | true), shape (n_classes, number of such counts)."""
    n_classes = len(confusion)
    columns = []
    for given in combinations_with_replacement(range(n_classes), n_answers):
        counts = np.bincount(given, minlength=n_classes)
        ways = special.gamma(n_answers + 1) / special.gamma(counts + 1).prod()
        columns.append(ways * np.prod(confusion**counts, axis=1))
    return np.column_stack(columns)


def order(
    needs: BoolArray, gain: FloatArray, price: npt.ArrayLike, *, budget: float | None = None
) -> npt.NDArray[np.intp]:
    """Return the records that need another answer, most gain per price first, as far as the budget goes.

    Parameters
    ----------
    needs, gain
        From :func:`needs_another` and :func:`expected_gain`, shape (n_tasks,).
    price
        One number, or one per record, > 0.
    budget
        In the unit of the price; None for no limit.

    Notes
    -----
    Ties by record index.
    """
    prices = np.broadcast_to(np.asarray(price, dtype=np.float64), gain.shape)
    if np.any(prices <= 0):
        raise ValueError(f"prices must be positive, got {prices.min()}")
    records = np.flatnonzero(needs)
    records = records[np.argsort(-gain[records] / prices[records], kind="stable")]
    if budget is None:
        return records
    return records[np.cumsum(prices[records]) <= budget]
