"""What the verdict risks: good work refused, bad work accepted, simulated with peers that err themselves."""

import numpy as np
import pytest

from marketplace.core.acceptance import Evidence, Plan, decide

N_BATCHES = 600


def share_of(decision, error, limit):
    """Return how often work of 60 answers and 6 gold with a true error gets a decision; peers mislead on 8 %."""
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(N_BATCHES):
        believed = np.where(rng.random(60) < error, 0.07, 0.95)
        believed = np.where(rng.random(60) < 0.08, 1 - believed, believed)
        n_right = int((rng.random(6) >= error).sum())
        evidence = Evidence([str(i) for i in range(60)], believed, 6, n_right)
        found += decide(evidence, Plan(max_error=limit)).decision == decision
    return found / N_BATCHES


@pytest.mark.parametrize("limit", [0.1, 0.3])
def test_good_work_is_hardly_ever_rejected(limit):
    """Producer's risk: work at half the limit is rejected in at most 2 % of cases."""
    assert share_of("rejected", limit / 2, limit) <= 0.02


@pytest.mark.parametrize(("limit", "error"), [(0.1, 0.15), (0.1, 0.3), (0.3, 0.45), (0.3, 0.6)])
def test_bad_work_is_hardly_ever_accepted_as_it_is(limit, error):
    """Consumer's risk: work at 1.5 times the limit or worse is accepted unmended in at most 2 % of cases."""
    assert share_of("accepted", error, limit) <= 0.02


def test_hopeless_work_is_rejected_as_a_whole():
    assert share_of("rejected", 0.5, 0.1) >= 0.95
    assert share_of("rejected", 0.7, 0.3) >= 0.95
