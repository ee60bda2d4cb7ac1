"""Hard limits are filters: they let in or keep out, never reorder, and say in words which one it was."""

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.routing import Limits
from tests.core.marketplace.routing.worlds import candidates, order_of, ranked, weights


@st.composite
def mixed(draw: st.DrawFn):
    """Draw vendors of which some miss a limit or are out for their own reasons."""
    fixed = {
        "currency": st.sampled_from(["USD", "EUR"]),
        "min_batch": st.integers(1, 80),
        "exclusion": st.sampled_from([None, None, "The vendor has switched itself to unavailable."]),
    }
    vendors = []
    for number in range(draw(st.integers(1, 8))):
        own = {name: draw(strategy) for name, strategy in fixed.items()}
        price = draw(st.one_of(st.none(), st.integers(1, 10**6)))
        vendor = draw(candidates(price_micro=price, **own))
        vendors.append(dataclasses.replace(vendor, vendor_id=type(vendor.vendor_id)(int=number)))
    return vendors


LIMITS = st.builds(
    Limits,
    max_price_micro=st.one_of(st.none(), st.integers(1, 10**6)),
    min_accuracy=st.one_of(st.none(), st.floats(0, 1)),
)


@settings(max_examples=250, deadline=None)
@given(mixed(), LIMITS, weights(), st.integers(1, 80))
def test_exactly_those_within_every_limit_are_ranked_and_the_others_are_told_why(vendors, limits, how, n_records):
    rows = {row.vendor_id: row for row in ranked(vendors, how, limits, n_records=n_records)}
    assert len(rows) == len(vendors)
    for vendor in vendors:
        row = rows[vendor.vendor_id]
        fits = (
            vendor.exclusion is None
            and vendor.price_micro is not None
            and vendor.currency == limits.currency
            and (limits.max_price_micro is None or vendor.price_micro <= limits.max_price_micro)
            and (limits.min_accuracy is None or vendor.accuracy_low >= limits.min_accuracy)
            and vendor.min_batch <= n_records
        )
        assert (row.sequence is not None) == fits == (row.exclusion == "")
        assert row.words.endswith(".")
        assert (row.index is None) == (not fits)


@settings(max_examples=100, deadline=None)
@given(mixed(), LIMITS, weights())
def test_a_limit_keeps_out_but_never_reorders(vendors, limits, how):
    open_order = order_of(ranked(vendors, how))
    limited = order_of(ranked(vendors, how, limits))
    assert limited == [v for v in open_order if v in set(limited)]


@settings(max_examples=100, deadline=None)
@given(mixed(), LIMITS, weights())
def test_loosening_a_limit_never_loses_a_vendor(vendors, limits, how):
    held = set(order_of(ranked(vendors, how, limits)))
    for looser in (
        dataclasses.replace(limits, max_price_micro=None),
        dataclasses.replace(limits, min_accuracy=None),
    ):
        assert held <= set(order_of(ranked(vendors, how, looser)))
