"""Index order is the best order of one-at-a-time offers, held against every order there is.

Assumptions: answers are independent, an offer costs its expected waiting time whatever the answer, the taker's loss
does not depend on when it takes, and everybody is asked before the batch is given up.
"""

import itertools

import pytest
from hypothesis import assume, given, settings

from marketplace.core.routing import Ranked
from tests.core.marketplace.routing.worlds import markets, ranked, weights

LEAST_P_ACCEPT = 0.02
MISSED = 50.0


def expected_loss(order: tuple[tuple[Ranked, float], ...]) -> float:
    """Return what an order loses in expectation: waiting on the way, the taker's own loss, or that of a miss."""
    total, reach = 0.0, 1.0
    for row, p_accept in order:
        waiting = row.parts["response"] * p_accept
        own = sum(row.parts.values()) - row.parts["response"]
        total += reach * (waiting + p_accept * own)
        reach *= 1 - p_accept
    return total + reach * MISSED


@settings(max_examples=250, deadline=None)
@given(vendors=markets(2, 6), how=weights())
def test_no_other_order_loses_less(vendors, how):
    assume(all(v.p_accept >= LEAST_P_ACCEPT for v in vendors))
    p_accept = {v.vendor_id: v.p_accept for v in vendors}
    rows = tuple((row, p_accept[row.vendor_id]) for row in ranked(vendors, how))
    best = min(expected_loss(order) for order in itertools.permutations(rows))
    assert expected_loss(rows) <= best + 1e-9 * max(1.0, abs(best))
    assert expected_loss(rows) == pytest.approx(best)
