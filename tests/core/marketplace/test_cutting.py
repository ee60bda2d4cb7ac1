"""Cutting records into chunks: nothing lost, hard ones apart, no leftovers."""

from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.cutting import cut, hard_ratio, is_hard

DIFFICULTY = st.lists(st.none() | st.floats(0, 1), max_size=120)


@given(DIFFICULTY, st.integers(1, 40))
def test_every_record_stands_in_one_chunk_in_the_given_order(difficulty, batch_size):
    chunks = cut(difficulty, batch_size)
    assert sorted(i for chunk in chunks for i in chunk) == list(range(len(difficulty)))
    assert all(chunk == sorted(chunk) and 0 < len(chunk) <= batch_size for chunk in chunks)


@given(st.integers(0, 300), st.integers(1, 40))
def test_chunks_differ_by_one_record_at_most(n_records, batch_size):
    sizes = [len(chunk) for chunk in cut([None] * n_records, batch_size)]
    assert not sizes or max(sizes) - min(sizes) <= 1
    assert len(sizes) == -(-n_records // batch_size)


@given(DIFFICULTY, st.integers(1, 40))
def test_hard_records_are_apart_whenever_either_kind_fills_half_a_batch(difficulty, batch_size):
    n_hard = sum(map(is_hard, difficulty))
    if 2 * min(n_hard, len(difficulty) - n_hard) >= batch_size:
        for chunk in cut(difficulty, batch_size):
            assert len({is_hard(difficulty[i]) for i in chunk}) == 1


def test_a_handful_of_hard_records_stays_among_the_others():
    assert cut([0.9] + [0.1] * 9, 5) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_the_hard_ratio_counts_only_what_is_known():
    assert hard_ratio([0.9, 0.1, None, None]) == 0.5
    assert hard_ratio([None]) is None
