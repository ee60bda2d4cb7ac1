"""How much a shown pre-label sways: agreement with the model where it was shown, and where it was not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Agreement with the model, shown and blind, and the difference with its interval.

    None where a side has fewer than two records: nothing can be said.
    """

    n_shown: int
    n_blind: int
    shown: float | None
    blind: float | None
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class _Arm:
    n: int
    mean: float
    variance: float

    @classmethod
    def of(cls, agreement: FloatArray, weight: FloatArray) -> "_Arm":
        """Return the weighted mean and its variance, a success and a failure added (Agresti, Caffo)."""
        mean = float((weight * agreement).sum() / weight.sum())
        n_effective = float(weight.sum() ** 2 / (weight**2).sum())
        spread = float((weight * (agreement - mean) ** 2).sum() / weight.sum())
        padded = (n_effective * mean + 1) / (n_effective + 2)
        least = padded * (1 - padded) / (n_effective + 2) if spread == 0 else 0.0
        return cls(len(agreement), mean, max(spread / max(n_effective - 1, 1), least))


def anchoring(agreement: FloatArray, is_blind: BoolArray, blind_chance: FloatArray, *, level: float = 0.9) -> Anchoring:
    """Return how much more people agree with a model whose label they see.

    Parameters
    ----------
    agreement
        Share of a record's answers that say what the model says, shape (n_records,), in [0, 1]. One number per record:
        its answers stand or fall together.
    is_blind
        Whether its annotators did not see the pre-label, shape (n_records,).
    blind_chance
        The chance with which it was to be blind, shape (n_records,), in (0, 1).
    level
        Probability that the interval covers the truth, in (0, 1).

    Returns
    -------
    Anchoring
        ``difference`` is shown less blind; an interval above 0 says that people follow the machine.

    Raises
    ------
    ValueError
        When lengths differ or a chance is 0 or 1: a record that could have been on one side only tells nothing.

    Notes
    -----
    Each record weighs the inverse of the chance of the side on which it is, so a share that was changed on the way
    does no harm.

    Examples
    --------
    >>> found = anchoring(np.array([1.0] * 40 + [0.5] * 20), np.arange(60) >= 40, np.full(60, 1 / 3))
    >>> found.difference, found.low > 0.3
    (0.5, True)
    """
    if not len(agreement) == len(is_blind) == len(blind_chance):
        raise ValueError(f"lengths differ: {len(agreement)}, {len(is_blind)}, {len(blind_chance)}")
    if np.any((blind_chance <= 0) | (blind_chance >= 1)):
        raise ValueError("a record that could not have been on the other side tells nothing; leave it out")
    counts = int((~is_blind).sum()), int(is_blind.sum())
    arms = [
        _Arm.of(agreement[side], 1 / chance[side]) if side.sum() > 1 else None
        for side, chance in ((~is_blind, 1 - blind_chance), (is_blind, blind_chance))
    ]
    shown, blind = arms
    means = [arm.mean if arm is not None else None for arm in arms]
    if shown is None or blind is None:
        return Anchoring(*counts, means[0], means[1], None, None, None)
    difference = shown.mean - blind.mean
    reach = float(special.stdtrit(min(counts) - 1, (1 + level) / 2)) * (shown.variance + blind.variance) ** 0.5
    return Anchoring(
        *counts, shown.mean, blind.mean, difference, max(difference - reach, -1.0), min(difference + reach, 1.0)
    )
