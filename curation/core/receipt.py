"""The savings receipt: what the same usable labels would have cost at random, with an interval, or nothing at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from curation.core.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class ControlRound:
    """One round as the receipt needs it.

    Attributes
    ----------
    n_open
        Records of the pool not asked before the round: the control picks are drawn uniformly from them.
    n_known_usable
        Records asked before the round that turned out usable.
    n_control, n_control_usable
        Control picks of the round, and how many of them turned out usable.
    n_bought, n_usable
        All picks of the round, control included, and how many turned out usable.
    """

    n_open: int
    n_known_usable: int
    n_control: int
    n_control_usable: int
    n_bought: int
    n_usable: int

    def __post_init__(self) -> None:
        pairs = ((self.n_control_usable, self.n_control), (self.n_usable, self.n_bought), (self.n_bought, self.n_open))
        if any(not 0 <= part <= whole for part, whole in pairs) or self.n_control > self.n_bought:
            raise ValueError(f"counts do not fit each other: {self}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Records that need not be bought, with a 95 % interval; `is_shown` is false when the interval includes 0.

    Attributes
    ----------
    n_bought, n_usable
        What was bought, and what of it is usable.
    usable_ratio, usable_low, usable_high
        Share of the whole pool that is usable, as the control picks tell.
    saved, saved_low, saved_high
        Records that picking at random would have needed beyond those bought, for as many usable ones.
    ratio
        `saved` over what random picking would have needed.
    control_cost_ratio
        What the control picks cost in usable labels, over all usable ones: the price of knowing.
    """

    n_bought: int
    n_usable: int
    usable_ratio: float
    usable_low: float
    usable_high: float
    saved: float
    saved_low: float
    saved_high: float
    ratio: float
    control_cost_ratio: float
    is_shown: bool

    @property
    def words(self) -> str:
        """The receipt in a sentence."""
        if not self.is_shown:
            return "Not shown: the interval of the savings includes zero, or there are too few control picks to tell."
        return (
            f"{self.saved:.0f} records saved (95 %: {self.saved_low:.0f} to {self.saved_high:.0f}): at random, "
            f"{self.n_usable} usable labels would have taken {self.n_bought + self.saved:.0f} records instead of "
            f"{self.n_bought}."
        )


def receipt(rounds: Sequence[ControlRound], *, n_pool: int, level: float = 0.95) -> Receipt:
    """Return what choosing saved against buying at random from the same pool.

    Parameters
    ----------
    rounds
        In order, at least one.
    n_pool
        Records of the whole pool, asked or not.
    level
        Of the interval, in (0, 1); default .95.

    Raises
    ------
    ValueError
        Without rounds, with a level outside (0, 1), or when a round has more open records than the pool holds.

    Notes
    -----
    Choosing takes usable records out of the pool, so what control picks find later is less than the pool had at first.
    Each round therefore estimates the usable share of the *whole* pool: those known among the asked, plus the open ones
    at the rate of its control picks; rounds weigh as many as their control picks. The interval is the score interval of
    the open part with the rounds' effective size; savings fall with the share, so its ends carry over. It counts usable
    labels only, not the better model that chosen ones give: that is left out, not guessed.

    References
    ----------
    Wilson (1927), Probable Inference; Cochran (1977), Sampling Techniques, section 5 (combined estimates).

    Examples
    --------
    >>> receipt([ControlRound(1000, 0, 100, 50, 300, 240)], n_pool=1000).words
    '180 records saved (95 %: 106 to 287): at random, 240 usable labels would have taken 480 records instead of 300.'
    """
    if not rounds or not 0 < level < 1:
        raise ValueError(f"need at least one round and a level in (0, 1), got {len(rounds)} and {level:g}")
    bought, usable = sum(r.n_bought for r in rounds), sum(r.n_usable for r in rounds)
    if max(r.n_open for r in rounds) > n_pool:
        raise ValueError(f"a round has {max(r.n_open for r in rounds)} open records, the pool holds {n_pool}")
    counted = [r for r in rounds if r.n_control]
    if not counted or not usable:
        return Receipt(bought, usable, float("nan"), 0.0, 1.0, 0.0, -float(bought), float("inf"), 0.0, 0.0, False)
    known, open_, rate, low, high = _open_share(counted, n_pool, level)
    share, share_low, share_high = known + open_ * rate, known + open_ * low, known + open_ * high
    saved, saved_low, saved_high = (_saved(usable, bought, p) for p in (share, share_high, share_low))
    n_control = sum(r.n_control for r in counted)
    chosen = (usable - sum(r.n_control_usable for r in counted)) / max(bought - n_control, 1)
    return Receipt(
        bought,
        usable,
        share,
        share_low,
        share_high,
        saved,
        saved_low,
        saved_high,
        saved / (bought + saved) if np.isfinite(saved) else 1.0,
        float(max(0.0, n_control * (chosen - rate) / usable)),
        bool(saved_low > 0),
    )


def _saved(usable: int, bought: int, share: float) -> float:
    return usable / share - bought if share > 0 else float("inf")


def _open_share(rounds: Sequence[ControlRound], n_pool: int, level: float) -> tuple[float, float, float, float, float]:
    """Return the known part of the pool's share, the open part's size, and its usable rate with the interval's ends."""
    size, open_ = _column(rounds, "n_control"), _column(rounds, "n_open")
    weight = size / size.sum()
    known = float(weight @ _column(rounds, "n_known_usable")) / n_pool
    reach = weight * open_ / n_pool  # how far a round's rate moves the share
    rate = float(reach @ (_column(rounds, "n_control_usable") / size) / reach.sum())
    without = np.clip(1 - (size - 1) / np.maximum(open_ - 1, 1), 0, 1)  # drawn without replacement
    spread = float((reach**2 * without / size).sum() / reach.sum() ** 2)
    low, high = _score_interval(rate, spread, level)
    return known, float(reach.sum()), rate, low, high


def _score_interval(rate: float, spread: float, level: float) -> tuple[float, float]:
    """Return the share's interval when its variance is spread x p (1 - p)."""
    if spread <= 0:
        return rate, rate
    z2 = float(special.ndtri((1 + level) / 2)) ** 2 * spread
    centre = (rate + z2 / 2) / (1 + z2)
    half = float(np.sqrt(z2 * (rate * (1 - rate) + z2 / 4))) / (1 + z2)
    return max(0.0, centre - half), min(1.0, centre + half)


def _column(rounds: Sequence[ControlRound], name: str) -> FloatArray:
    return np.array([getattr(one, name) for one in rounds], dtype=np.float64)
