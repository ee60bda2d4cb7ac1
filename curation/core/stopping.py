"""When to stop: what the next batches are forecast to gain is worth less than they cost, and the model has settled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.core.arrays import FloatArray, IntArray

MIN_ROUNDS = 3
SETTLED = 0.9
"""Kappa between successive models above which predictions count as settled: below it, a flat curve may be a pause."""
_EXPONENTS = np.linspace(0.1, 2.0, 20)
_LOOK_AHEAD = 10
_OPTIMISM, _PATIENCE = 1.0, 0.75
"""Standard deviations between exponents that a gain is credited with: stopping too early cannot be mended. Share of the
next batches' cost that may be lost while the model still moves."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a point of accuracy is worth and what a record costs, in the same currency.

    Attributes
    ----------
    value_of_point
        Worth of one point (.01) of accuracy, > 0: the customer's own figure.
    price
        Of one record, vetting included, > 0.
    round_cost
        Of one more round whatever its size: retraining and handling, >= 0.
    """

    value_of_point: float
    price: float
    round_cost: float = 0.0

    def __post_init__(self) -> None:
        if self.value_of_point <= 0 or self.price <= 0 or self.round_cost < 0:
            raise ValueError(
                f"need a positive value and price and no negative round cost, got {self.value_of_point:g}, "
                f"{self.price:g} and {self.round_cost:g}"
            )


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether to stop, what the best number of further batches is forecast to net (currency), and why, in words."""

    stops: bool
    net_gain: float
    n_more: int
    forecast: float
    kappa: float | None
    words: str


def kappa(before: IntArray, now: IntArray, n_classes: int) -> float:
    """Return Cohen's kappa between the predictions of successive models on the same records, at most 1.

    1 where both give one and the same class to all. The records must not be training data: the open pool does.

    References
    ----------
    Bloodgood, Vijay-Shanker (2009), A Method for Stopping Active Learning Based on Stabilizing Predictions.

    Examples
    --------
    >>> kappa(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]), 2)
    0.5
    """
    if len(before) != len(now) or not len(now):
        raise ValueError(f"{len(before)} predictions before, {len(now)} now; need the same, at least one")
    same = float((before == now).mean())
    chance = float(np.bincount(before, minlength=n_classes) @ np.bincount(now, minlength=n_classes)) / len(now) ** 2
    return 1.0 if chance >= 1 else (same - chance) / (1 - chance)


def forecast(n_labels: FloatArray, accuracy: FloatArray, at: FloatArray) -> FloatArray:
    """Return the accuracy expected with more labels, shape like `at`, from a falling power law of the error.

    Parameters
    ----------
    n_labels, accuracy
        Rounds so far, shape (r,), r >= 2; labels increasing, accuracy in [0, 1].
    at
        Numbers of labels asked about.

    Notes
    -----
    ``error = floor + scale x n^-c`` with floor, scale >= 0 by least squares for each c of a grid; the fits are averaged
    in proportion to their likelihood, so that a curve that cannot tell its exponents apart is not read as sure. Later
    rounds weigh more. O(r) per exponent.

    References
    ----------
    Cortes et al. (1994), Learning Curves: Asymptotic Values and Rate of Convergence; Viering, Loog (2023).
    """
    belief, errors = _forecasts(n_labels, accuracy, at)
    return np.asarray(np.clip(1 - belief @ errors, 0.0, 1.0))


def _forecasts(n_labels: FloatArray, accuracy: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the belief in each exponent, shape (e,), and the error each forecasts, shape (e, len(at))."""
    n, error = np.asarray(n_labels, dtype=np.float64), 1 - np.asarray(accuracy, dtype=np.float64)
    if len(n) != len(error) or len(n) < 2 or (np.diff(n) <= 0).any() or not np.isfinite(error).all():
        raise ValueError(f"need at least 2 rounds with increasing labels, got {len(n)} and {len(error)}")
    weight = (n / n[-1]) ** 1.5
    fits = [_fit(n, error, weight, exponent) for exponent in _EXPONENTS]
    losses = np.array([loss for _, _, loss in fits])
    noise = max(losses.min() / max(len(n) - 3, 1), 1e-6)
    belief = np.exp(-(losses - losses.min()) / (2 * noise))
    later = np.asarray(at, dtype=np.float64)
    errors = [floor + scale * later**-c for (floor, scale, _), c in zip(fits, _EXPONENTS, strict=True)]
    return belief / belief.sum(), np.array(errors)


def _fit(n: FloatArray, error: FloatArray, weight: FloatArray, exponent: float) -> tuple[float, float, float]:
    """Return floor, scale (both >= 0) and the weighted squared loss of one exponent."""
    x = n**-exponent
    w = weight / weight.sum()
    mean_x, mean_e = float(w @ x), float(w @ error)
    scale = float(w @ ((x - mean_x) * (error - mean_e))) / max(float(w @ (x - mean_x) ** 2), 1e-18)
    floor = mean_e - scale * mean_x
    if scale < 0:
        floor, scale = mean_e, 0.0
    if floor < 0:
        floor, scale = 0.0, max(float(w @ (x * error)) / float(w @ x**2), 0.0)
    return floor, scale, float(weight @ (floor + scale * x - error) ** 2)


def advise(
    n_labels: Sequence[float], accuracy: Sequence[float], batch: int, terms: Terms, last_kappa: float | None = None
) -> Advice:
    """Say whether the next batches are worth their cost.

    Parameters
    ----------
    n_labels, accuracy
        Records asked (they cost, labeled or not) and accuracy after each round.
    batch
        Records of the next batch, >= 1.
    terms
        What accuracy is worth and records cost.
    last_kappa
        Agreement between the last two models (`kappa`); None: not known, then the curve alone decides.

    Returns
    -------
    Advice
        It never stops before three rounds, nor on one round's word alone, nor while the model still changes its mind
        and money is not clearly lost.

    Notes
    -----
    The best of the next one to ten batches counts, not the next one alone: a curve may pause. Gains are credited with
    one standard deviation of what the exponents disagree about.
    """
    if batch < 1:
        raise ValueError(f"a batch holds at least 1 record, got {batch}")
    if len(accuracy) < MIN_ROUNDS:
        return Advice(False, 0.0, 1, accuracy[-1] if len(accuracy) else 0.0, last_kappa, "Too few rounds to tell.")
    n, seen = np.asarray(n_labels, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    gain, best, expected = _best(n, seen, batch, terms)
    is_moving = last_kappa is not None and last_kappa < SETTLED
    stops = gain <= 0 and not (is_moving and gain > -_PATIENCE * best * (batch * terms.price + terms.round_cost))
    stops = stops and _best(n[:-1], seen[:-1], batch, terms)[0] <= 0
    return Advice(stops, gain, 0 if stops else best, expected, last_kappa, _words(stops, gain, best))


def _best(n: FloatArray, accuracy: FloatArray, batch: int, terms: Terms) -> tuple[float, int, float]:
    """Return the highest net gain of further batches, how many they are, and the accuracy forecast then."""
    more = np.arange(_LOOK_AHEAD + 1)
    belief, errors = _forecasts(n, accuracy, n[-1] + more * batch)
    gains = errors[:, :1] - errors  # (exponents, batches)
    mean = belief @ gains
    spread = np.sqrt(np.maximum(belief @ gains**2 - mean**2, 0.0))
    net = 100 * (mean + _OPTIMISM * spread) * terms.value_of_point - more * (batch * terms.price + terms.round_cost)
    best = int(net[1:].argmax()) + 1
    return float(net[best]), best, float(np.clip(1 - belief @ errors[:, best], 0, 1))


def _words(stops: bool, gain: float, best: int) -> str:
    batches = "batch" if best == 1 else f"{best} batches"
    if stops:
        return f"Stop: the next {batches} would cost {-gain:.2f} more than the accuracy they are forecast to bring."
    if gain <= 0:
        return "Go on for now: the forecast is flat, but one round's word, or a model that still moves, is not enough."
    return (
        f"Go on: the next {batches} are forecast to bring {gain:.2f} more than they cost."
        if best > 1
        else f"Go on: the next batch is forecast to bring {gain:.2f} more than it costs."
    )
