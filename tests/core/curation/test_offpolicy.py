"""What another policy would have brought, estimated from logged chances, against what it does bring in simulation."""

import numpy as np
import pytest

from curation.core import offpolicy
from curation.core.offpolicy import Logged, Method

WORTH = np.array([1.0, 0.6, 1.4, 0.9])
POLICIES = {
    "one arm": np.array([0.0, 0.0, 1.0, 0.0]),
    "even": np.full(4, 0.25),
    "mixed": np.array([0.6, 0.1, 0.1, 0.2]),
}


def logged(seed: int, n: int = 4000) -> tuple[Logged, np.ndarray]:
    """Rounds drawn with chances that change, whose rewards drift with them: plain means are biased."""
    rng = np.random.default_rng(seed)
    good = rng.random(n)
    chances = np.full((n, 4), 0.1)
    chances[:, 2] += 0.6 * good
    chances[:, 1] += 0.6 * (1 - good)
    arms = np.array([rng.choice(4, p=p) for p in chances])
    rewards = WORTH[arms] + 0.5 * (good - 0.5) + 0.3 * rng.normal(size=n)
    return Logged(arms, chances[np.arange(n), arms], rewards), chances


@pytest.mark.parametrize("method", ["ips", "snips", "dr"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_estimates_lie_within_five_percent_of_the_truth(method: Method, policy):
    found = [offpolicy.estimate(logged(seed)[0], np.tile(policy, (4000, 1)), method) for seed in range(5)]
    truth = float(policy @ WORTH)
    assert np.mean([abs(one.value - truth) / truth for one in found]) < 0.05
    assert all(abs(one.value - truth) < 4.5 * one.error for one in found)


def test_plain_means_would_be_further_off():
    given, _ = logged(0)
    truth, policy = WORTH[2], np.tile(POLICIES["one arm"], (4000, 1))
    plain = given.rewards[given.arms == 2].mean()
    assert abs(offpolicy.estimate(given, policy, "dr").value - truth) < abs(plain - truth)


def test_errors_cover_the_truth_as_often_as_they_should():
    truth = float(POLICIES["mixed"] @ WORTH)
    policy = np.tile(POLICIES["mixed"], (500, 1))
    found = [offpolicy.estimate(logged(seed, 500)[0], policy) for seed in range(100)]
    assert 88 <= sum(abs(one.value - truth) < 1.96 * one.error for one in found) <= 100


def test_good_expectations_make_doubly_robust_steadier():
    given, _ = logged(3, 300)
    policy = np.tile(POLICIES["mixed"], (300, 1))
    told = offpolicy.estimate(given, policy, "dr", np.tile(WORTH, (300, 1)))
    assert told.error < offpolicy.estimate(given, policy, "ips").error


def test_the_policy_that_was_logged_is_worth_its_mean_reward():
    given, chances = logged(1)
    assert offpolicy.estimate(given, chances, "ips").value == pytest.approx(given.rewards.mean(), rel=1e-9)
    assert offpolicy.estimate(given, chances, "ips").n_effective == pytest.approx(4000)


def test_what_cannot_be_estimated_is_refused():
    given, _ = logged(0, 10)
    with pytest.raises(ValueError, match="a chance above 0"):
        Logged(np.zeros(2, int), np.array([0.5, 0.0]), np.ones(2))
    with pytest.raises(ValueError, match="need an arm, a chance and a reward"):
        Logged(np.zeros(0, int), np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="a column per arm"):
        offpolicy.estimate(given, np.ones((10, 1)))
    with pytest.raises(ValueError, match="sum to 1"):
        offpolicy.estimate(given, np.ones((10, 4)))
