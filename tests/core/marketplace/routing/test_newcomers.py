"""A batch kept for newcomers goes to the best of them first; nothing else in the order changes."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.routing import EXPLORED, Limits, Weights, is_explored
from tests.core.marketplace.routing.test_pins import chosen
from tests.core.marketplace.routing.worlds import order_of, ranked, weights


@given(chosen(), weights(), st.data())
def test_the_best_newcomer_comes_right_after_the_pins_and_the_rest_stays_in_order(market, how, data):
    vendors, pins = market
    new = data.draw(st.sets(st.sampled_from([v.vendor_id for v in vendors])))
    usual = order_of(ranked(vendors, how, pinned=pins))
    rows = ranked(vendors, how, pinned=pins, newcomers=sorted(new))
    moved = next((v for v in usual if v in new and v not in pins), None)
    rest = [v for v in usual if v not in pins and v != moved]
    assert order_of(rows) == [*pins, *([moved] if moved else []), *rest]
    assert [r.vendor_id for r in rows if r.words.startswith("First as a newcomer")] == ([moved] if moved else [])


@given(chosen(), weights(), st.integers(1, 10**7))
def test_a_newcomer_over_a_limit_gets_nothing(market, how, cap):
    vendors, _ = market
    rows = ranked(vendors, how, Limits(max_price_micro=cap), newcomers=[v.vendor_id for v in vendors])
    assert {r.vendor_id for r in rows if r.sequence is not None} == {
        v.vendor_id for v in vendors if v.price_micro <= cap
    }


def test_only_cheap_public_work_is_kept_for_newcomers_and_one_batch_in_twenty():
    drawn = [uuid.uuid4().int for _ in range(20_000)]
    share = sum(is_explored(Weights.of("cost"), "public", n) for n in drawn) / len(drawn)
    assert abs(share - 1 / EXPLORED) < 0.01
    assert not any(is_explored(Weights.of(priority), "public", n) for n in drawn for priority in ("speed", "accuracy"))
    assert not any(is_explored(Weights.of("cost"), "confidential", n) for n in drawn)
