"""One world from its first top-up to the comparison of books; whole, or with a safeguard taken away."""

import random
from collections.abc import Mapping

from benchmarks.money import checker, controls, deeds, world
from benchmarks.money.tally import Tally
from common.models import MoneyOp

MOST_TRIES = 4


def one(
    tally: Tally, rng: random.Random, n_points: int, n_kills: int, faults: Mapping[str, float] = world.FAULTS
) -> None:
    """Run a world with so many deaths and take what the checker finds into the tally."""
    with world.opened() as place:
        since, n_ops = checker.mark(), MoneyOp.objects.count()
        deeds.begin(place, rng, faults)
        died = 0
        while died < n_points:
            died += deeds.crash(place, rng)
        tally.n_points += died
        if n_kills:
            tally.n_kills += deeds.kill_workers(place, rng, n_kills)
        tally.findings += deeds.settle(place)
        tally.findings += checker.findings(place.control("books"), since)
        tally.n_operations += MoneyOp.objects.count() - n_ops
        tally.n_worlds += 1
        deeds.end(place)


def without(name: str, seed: int) -> int:
    """Return how much the checker finds with a safeguard taken away, in a few worlds if it takes them."""
    for attempt in range(MOST_TRIES):
        tally, rng = Tally(), random.Random(seed * 1000 + attempt)
        with controls.ALL[name]():
            one(tally, rng, 60, 0, world.FAULTS | {"saved_500": 0.4})
        MoneyOp.objects.filter(next_attempt_at__isnull=False).update(state="failed", next_attempt_at=None)
        if tally.findings:
            return len(tally.findings)
    return 0
