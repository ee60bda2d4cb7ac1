"""Random settlements: what a hold pays out and gives back is what was held, to the micro-unit."""

import random

from common import money
from marketplace.core import pricing

CURRENCIES = ("USD", "EUR", "JPY", "KWD")


def lost_micro(n: int, seed: int) -> int:
    """Return how many micro-units so many settlements of one hold each, and the payouts from them, lose or make.

    Some of the labels held for pass; vendor and fee are paid, the rest is given back. A vendor is sent whole minor
    units and keeps being owed the rest.
    """
    rng, lost, owed = random.Random(seed), 0, dict.fromkeys(CURRENCIES, 0)
    for _ in range(n):
        held_for, price = rng.randint(1, 500), rng.randint(1, 5_000_000)
        fee_points, currency = rng.randint(0, 5000), rng.choice(CURRENCIES)
        held = pricing.cost_micro(held_for, price, fee_points)
        earned = pricing.cost_micro(passed := rng.randint(0, held_for), price, fee_points)
        vendor = passed * price
        fee, given_back = earned - vendor, held - earned
        lost += abs(held - vendor - fee - given_back) + max(0, -fee) + max(0, -given_back)
        lost += int(abs(fee * pricing.BASIS_POINTS - vendor * fee_points) >= pricing.BASIS_POINTS)
        before = owed[currency] + vendor
        sent = money.to_micro(money.whole_minor(before, currency), currency)
        owed[currency] = before - sent
        lost += int(not 0 <= owed[currency] < money.micro_per_minor(currency))
    return lost
