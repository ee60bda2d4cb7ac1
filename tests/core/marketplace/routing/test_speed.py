"""Five hundred candidates, each with its explanation, in less than five milliseconds."""

import random
import time
import uuid

from marketplace.core.routing import CandidateFacts, Weights
from tests.core.marketplace.routing.worlds import ranked

TARGET_S = 0.005
N_TRIES = 40


def vendor(rng: random.Random) -> CandidateFacts:
    return CandidateFacts(
        vendor_id=uuid.UUID(int=rng.getrandbits(128)),
        exclusion=None,
        price_micro=rng.randint(1_000, 200_000),
        currency="USD",
        min_batch=1,
        accuracy_mean=rng.uniform(0.8, 0.99),
        accuracy_low=rng.uniform(0.6, 0.8),
        p_accept=rng.uniform(0.1, 1),
        p_complete=rng.uniform(0.5, 1),
        response_s=rng.uniform(1, 900),
        label_s=rng.uniform(1, 40),
        base_s=rng.uniform(0, 600),
        start_window_s=rng.uniform(600, 7200),
        load=rng.random(),
    )


def test_five_hundred_candidates_are_ranked_and_explained_within_the_target():
    """The best of several tries in CPU time: what else the machine does is not the ranking's."""
    rng = random.Random(7)
    vendors = [vendor(rng) for _ in range(500)]
    best = TARGET_S
    for _ in range(N_TRIES):
        started = time.process_time()
        rows = ranked(vendors, Weights.of("speed"))
        best = min(best, time.process_time() - started)
        assert all(row.words for row in rows)
        if best < TARGET_S:
            break
    assert best < TARGET_S
