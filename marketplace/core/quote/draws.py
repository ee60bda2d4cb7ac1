"""Possible truths: every vendor's hidden parameters, drawn from what is believed of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from marketplace.core.quote.terms import Bidder
from vendors.core.posteriors import Duration, Ratio

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
MAX_BIDDERS: Final = 24
"""Vendors looked at, from the top of the ranking: no batch gets that far down within its offers."""
MAX_SLOTS: Final = 8
"""Slots of a vendor looked at."""
_SILENT: Final = Ratio(2.0, 2.0)
"""Belief about the share of a vendor's refusals that are silence; what is learnt does not tell the two apart."""
_START_ERROR: Final = 0.25
"""Standard error of the logarithm of a vendor's usual time to start, of which only its promise is known."""
_DECLINE_WEIGHT: Final = 0.5
"""What a decline counts in the learnt acceptance, where a silence counts 1."""
_MOST_WILLING: Final = 0.995


@dataclass(frozen=True, slots=True)
class Possible:
    """Hidden parameters in ``n_draws`` possible truths; 2-D arrays are (n_draws, n_bidders), the others (n_bidders,).

    ``willing`` is the probability to accept when there is time to answer, ``silent`` that of a refusal by silence;
    ``response`` and ``label`` are medians in log-seconds, ``start_s`` is a median in seconds.
    """

    willing: FloatArray
    complete: FloatArray
    accuracy: FloatArray
    response: FloatArray
    response_spread: FloatArray
    label: FloatArray
    label_spread: FloatArray
    price_micro: FloatArray
    window_s: FloatArray
    silent: FloatArray
    start_s: FloatArray
    base_s: FloatArray
    start_window_s: FloatArray
    promised_label_s: FloatArray
    slots: IntArray
    in_flight: IntArray

    @property
    def shape(self) -> tuple[int, int]:
        """Number of draws and of bidders."""
        return self.willing.shape[0], self.willing.shape[1]


def draw(bidders: Sequence[Bidder], n_draws: int, rng: np.random.Generator) -> Possible:
    """Draw the parameters of the first :data:`MAX_BIDDERS` bidders, each from its posterior, independently.

    Notes
    -----
    A duration's log-mean is normal around its estimate with standard error ``spread / sqrt(weight)``. The learnt
    acceptance already counts those who did not answer in time, so it is divided by the probability to answer in time;
    and it counts a decline for half only, so its odds are too good by the share of refusals that went uncounted.
    """
    chosen = bidders[:MAX_BIDDERS]
    response, response_spread = _durations([b.response for b in chosen], n_draws, rng)
    label, label_spread = _durations([b.label for b in chosen], n_draws, rng)
    window_s = np.array([b.window_s for b in chosen])
    in_time = special.ndtr((np.log(window_s) - response) / response_spread)  # (n_draws, n_bidders)
    silent = _ratios([_SILENT] * len(chosen), n_draws, rng)
    accept = _accept(_ratios([b.acceptance for b in chosen], n_draws, rng), silent)
    accept *= np.array([b.warmth for b in chosen])
    start_error = np.exp(_START_ERROR * rng.standard_normal((n_draws, len(chosen))))
    return Possible(
        willing=np.minimum(accept / np.maximum(in_time, accept), _MOST_WILLING),
        complete=_ratios([b.completion for b in chosen], n_draws, rng),
        accuracy=_ratios([b.accuracy for b in chosen], n_draws, rng),
        response=response,
        response_spread=response_spread,
        label=label,
        label_spread=label_spread,
        price_micro=np.array([float(b.price_micro) for b in chosen]),
        window_s=window_s,
        silent=silent,
        start_s=np.array([max(b.base_s, b.start_window_s / 10) for b in chosen]) * start_error,
        base_s=np.array([b.base_s for b in chosen]),
        start_window_s=np.array([b.start_window_s for b in chosen]),
        promised_label_s=np.array([b.promised_label_s for b in chosen]),
        slots=np.array([min(b.slots, MAX_SLOTS) for b in chosen]),
        in_flight=np.array([min(b.in_flight, b.slots, MAX_SLOTS) for b in chosen]),
    )


def _accept(counted: FloatArray, silent: FloatArray) -> FloatArray:
    """Return the probability to accept where declines were counted for less than they are."""
    weight = silent + _DECLINE_WEIGHT * (1 - silent)
    return counted * weight / (1 - counted * (1 - weight))


def _ratios(beliefs: Sequence[Ratio], n_draws: int, rng: np.random.Generator) -> FloatArray:
    alpha, beta = np.array([[b.alpha, b.beta] for b in beliefs]).T
    return np.asarray(rng.beta(alpha, beta, size=(n_draws, len(beliefs))))


def _durations(beliefs: Sequence[Duration], n_draws: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    mean = np.array([b.log_mean for b in beliefs])
    spread = np.array([b.log_spread for b in beliefs])
    error = spread / np.sqrt([b.prior_weight + b.weight for b in beliefs])
    return mean + error * rng.standard_normal((n_draws, len(beliefs))), spread
