"""A customer's own order is honoured verbatim, within the hard limits."""

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.routing import Limits
from tests.core.marketplace.routing.worlds import markets, order_of, ranked, weights


@st.composite
def chosen(draw: st.DrawFn):
    """Draw a market, and some of its vendors in the customer's order."""
    vendors = draw(markets(1, 8))
    order = draw(st.permutations([v.vendor_id for v in vendors]))
    return vendors, order[: draw(st.integers(0, len(order)))]


@settings(max_examples=150, deadline=None)
@given(chosen(), weights(), st.booleans())
def test_pins_come_first_verbatim_and_the_rest_as_if_there_were_none(market, how, manual_only):
    vendors, pins = market
    rows = ranked(vendors, how, pinned=pins, manual_only=manual_only)
    rest = [v for v in order_of(ranked(vendors, how)) if v not in pins]
    assert order_of(rows) == [*pins, *([] if manual_only else rest)]
    assert {row.vendor_id for row in rows if row.is_pinned} == set(pins)
    by_hand = {row.vendor_id for row in rows if row.words.startswith("Put here by the customer.")}
    assert by_hand == set(pins)


@settings(max_examples=100, deadline=None)
@given(chosen(), weights(), st.integers(1, 10**7))
def test_a_pinned_vendor_over_a_limit_is_left_out_and_told_why(market, how, cap):
    vendors, pins = market
    rows = {row.vendor_id: row for row in ranked(vendors, how, Limits(max_price_micro=cap), pinned=pins)}
    for vendor in vendors:
        row = rows[vendor.vendor_id]
        assert row.is_pinned == (vendor.vendor_id in pins)
        assert (row.sequence is None) == (vendor.price_micro > cap) == ("above the limit" in row.exclusion)


@given(chosen(), weights(), st.uuids())
def test_a_pin_of_someone_unknown_changes_nothing(market, how, stranger):
    vendors, pins = market
    with_stranger = [dataclasses.replace(v) for v in vendors]
    assert order_of(ranked(with_stranger, how, pinned=[stranger, *pins])) == order_of(ranked(vendors, how, pinned=pins))
