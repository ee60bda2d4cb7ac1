"""Scales are absolute: an index depends on the vendor, the job and the task type, never on who else is there."""

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.routing import Weights
from tests.core.marketplace.routing.worlds import candidates, markets, order_of, ranked, weights


@settings(max_examples=200, deadline=None)
@given(vendors=markets(), newcomers=markets(), how=weights())
def test_newcomers_never_reorder_or_rescore_the_others(vendors, newcomers, how):
    known = {v.vendor_id for v in vendors}
    before = ranked(vendors, how)
    after = ranked([*vendors, *(n for n in newcomers if n.vendor_id not in known)], how)
    assert order_of(before) == [v for v in order_of(after) if v in known]
    alone = {row.vendor_id: (row.index, row.parts, row.words) for row in before}
    assert alone == {row.vendor_id: (row.index, row.parts, row.words) for row in after if row.vendor_id in known}


@settings(max_examples=150, deadline=None)
@given(vendors=markets(2), how=weights(), seed=st.integers(0, 2**32))
def test_only_equals_are_ordered_by_their_place_in_the_input(vendors, how, seed):
    shuffled = random.Random(seed).sample(vendors, len(vendors))
    one = {row.vendor_id: row.index for row in ranked(vendors, how)}
    order = order_of(ranked(shuffled, how))
    assert [one[v] for v in order] == sorted(one.values())


@given(twin=candidates(), ids=st.lists(st.uuids(), min_size=2, max_size=6, unique=True), how=weights())
def test_equals_keep_the_order_of_the_input(twin, ids, how):
    twins = [dataclasses.replace(twin, vendor_id=i) for i in ids]
    assert order_of(ranked(twins, how)) == ids


@given(vendors=markets(), how=weights())
def test_ranking_again_gives_the_same_and_leaves_the_input_alone(vendors, how):
    copies = [dataclasses.replace(v) for v in vendors]
    assert ranked(vendors, how) == ranked(vendors, how)
    assert vendors == copies


@given(vendors=markets(), how=weights())
def test_the_parts_add_up_to_the_index_and_none_is_negative(vendors, how):
    for row in ranked(vendors, how):
        assert sum(row.parts.values()) == pytest.approx(row.index)
        assert min(row.parts.values()) >= 0


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1 record, got 0"):
        ranked([], Weights.of("cost"), n_records=0)
