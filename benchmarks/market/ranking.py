"""The ranking alone."""

import random
import time
import uuid

from marketplace.core import routing


def milliseconds(n_candidates: int, n_runs: int = 30) -> float:
    """Return the median milliseconds of ranking so many candidates, reasons in words included."""
    rng = random.Random(0)
    candidates = [_candidate(rng) for _ in range(n_candidates)]
    times = []
    for _ in range(n_runs):
        started = time.perf_counter()
        routing.rank(
            candidates,
            weights=routing.Weights.of("cost"),
            reference=routing.REFERENCES["classification"],
            limits=routing.Limits(),
            n_records=20,
        )
        times.append(time.perf_counter() - started)
    return sorted(times)[n_runs // 2] * 1e3


def _candidate(rng: random.Random) -> routing.CandidateFacts:
    return routing.CandidateFacts(
        vendor_id=uuid.UUID(int=rng.getrandbits(128)),
        exclusion=None,
        price_micro=rng.randint(20_000, 90_000),
        currency="USD",
        min_batch=1,
        accuracy_mean=rng.uniform(0.8, 0.99),
        accuracy_low=rng.uniform(0.7, 0.8),
        p_accept=rng.uniform(0.1, 1),
        p_complete=rng.uniform(0.7, 1),
        response_s=rng.uniform(10, 900),
        label_s=rng.uniform(2, 30),
        base_s=60,
        start_window_s=3600,
        load=rng.random(),
    )
