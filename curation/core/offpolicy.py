"""What another policy would have brought, from rounds that were drawn with known chances."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from curation.core.arrays import FloatArray, IntArray

Method = Literal["ips", "snips", "dr"]


@dataclass(frozen=True, eq=False)
class Logged:
    """Rounds as they were drawn: which arm (index), with which chance, and what it brought; all of shape (t,)."""

    arms: IntArray
    chances: FloatArray
    rewards: FloatArray

    def __post_init__(self) -> None:
        if not len(self.arms) == len(self.chances) == len(self.rewards) or not len(self.arms):
            raise ValueError(
                f"need an arm, a chance and a reward per round, got {len(self.arms)}, {len(self.chances)} and "
                f"{len(self.rewards)}"
            )
        if (self.chances <= 0).any() or (self.chances > 1).any():
            raise ValueError("every arm that was drawn had a chance above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean reward of a policy per round, its standard error, and how many rounds' worth of evidence stand behind it."""

    value: float
    error: float
    n_effective: float


def estimate(logged: Logged, policy: FloatArray, method: Method = "dr", expected: FloatArray | None = None) -> Estimate:
    """Return what a policy would have brought on average in the rounds that were logged.

    Parameters
    ----------
    logged
        Rounds with their chances.
    policy
        Chance the policy gives each arm in each round, shape (t, k), rows summing to 1.
    method
        ips: unbiased; snips: self-normalised, steadier and slightly biased; dr: doubly robust, right when either the
        chances or the expectations are, and the steadiest where the expectations are any good.
    expected
        For dr: reward expected of each arm in each round, shape (t, k); None: each arm's weighted mean in the other
        half of the rounds.

    Raises
    ------
    ValueError
        When shapes differ or rows of the policy are no chances.

    References
    ----------
    Horvitz, Thompson (1952); Swaminathan, Joachims (2015), The Self-Normalized Estimator for Counterfactual Learning;
    Dudik, Langford, Li (2011), Doubly Robust Policy Evaluation and Learning.

    Examples
    --------
    >>> logged = Logged(np.array([0, 1, 0, 1]), np.full(4, 0.5), np.array([1.0, 0.0, 1.0, 0.0]))
    >>> estimate(logged, np.tile([1.0, 0.0], (4, 1)), "ips").value
    1.0
    """
    t = len(logged.arms)
    if policy.ndim != 2 or len(policy) != t or policy.shape[1] <= logged.arms.max():
        raise ValueError(f"the policy must have a row for each of {t} rounds and a column per arm, got {policy.shape}")
    if (policy < 0).any() or np.abs(policy.sum(axis=1) - 1).max() > 1e-6:
        raise ValueError("each row of the policy must hold chances that sum to 1")
    weights = policy[np.arange(t), logged.arms] / logged.chances
    evidence = float(weights.sum() ** 2 / max(float(weights @ weights), 1e-300))
    if method == "snips":
        value = float(weights @ logged.rewards / max(float(weights.sum()), 1e-300))
        terms = value + weights / max(float(weights.mean()), 1e-300) * (logged.rewards - value)
    elif method == "ips":
        terms = weights * logged.rewards
    else:
        guess = _other_half(logged, policy.shape[1]) if expected is None else expected
        if guess.shape != policy.shape:
            raise ValueError(f"expected rewards have shape {guess.shape}, the policy {policy.shape}")
        terms = (policy * guess).sum(axis=1) + weights * (logged.rewards - guess[np.arange(t), logged.arms])
    error = float(terms.std(ddof=1) / np.sqrt(t)) if t > 1 else float("inf")
    return Estimate(float(terms.mean()), error, evidence)


def _other_half(logged: Logged, k: int) -> FloatArray:
    """Return each arm's mean reward in the other half of the rounds, weighted by the inverse chance, shape (t, k)."""
    guess = np.empty((len(logged.arms), k))
    half = np.arange(len(logged.arms)) % 2
    for number in (0, 1):
        seen = half != number
        weight = np.bincount(logged.arms[seen], 1 / logged.chances[seen], minlength=k)
        total = np.bincount(logged.arms[seen], logged.rewards[seen] / logged.chances[seen], minlength=k)
        usual = float(logged.rewards[seen].mean()) if seen.any() else 0.0
        guess[half == number] = np.where(weight > 0, total / np.maximum(weight, 1e-300), usual)
    return guess
