"""Run-length codes: there and back, the known code of a known mask, overlap without pixels, and codes that are none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from marketplace.core import kinds, rle
from marketplace.core.aggregation.structured import masks
from marketplace.core.checks import Rules

any_mask = arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))
RULES = Rules("mask", {"classes": ["cat", "dog"]}, {})


@given(any_mask)
def test_there_and_back(mask):
    counts = rle.of_mask(mask)
    assert rle.tidied(counts) == counts
    assert rle.decoded(rle.encoded(counts)) == counts
    np.testing.assert_array_equal(rle.to_mask(counts, *mask.shape), mask)
    assert rle.area(counts) == mask.sum()
    x, y, width, height = rle.box(counts, mask.shape[0])
    if mask.any():
        rows, columns = np.nonzero(mask)
        assert (x, width) == (columns.min(), np.ptp(columns) + 1)
        if not (np.diff(mask.astype(int), axis=0) == 0).all():
            assert y <= rows.min() <= rows.max() <= y + height - 1


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=30))
def test_any_counts_survive_the_text(counts):
    assert rle.decoded(rle.encoded(counts)) == counts


def test_a_known_code():
    """The mask of a square of 4 x 4 in 9 x 9, as COCO's own tools write it."""
    mask = np.zeros((9, 9), dtype=bool)
    mask[2:6, 2:6] = True
    counts = rle.of_mask(mask)
    assert counts == [20, 4, 5, 4, 5, 4, 5, 4, 30]
    assert rle.encoded(counts) == "d04500000i0"


@given(any_mask, st.integers(0, 2**16))
def test_overlap_needs_no_pixels(mask, seed):
    other = np.random.default_rng(seed).random(mask.shape) < 0.5
    either = (mask | other).sum()
    wanted = (mask & other).sum() / either if either else 1.0
    assert rle.iou(rle.of_mask(mask), rle.of_mask(other)) == pytest.approx(wanted)


@pytest.mark.parametrize("text", ["`", "\x00", "é", "~" * 9, "0" * 3 + "L", "\ud800"])
def test_texts_that_are_no_code_are_refused(text):
    with pytest.raises(ValueError, match="counts"):
        rle.decoded(text)


@given(st.text(max_size=30))
def test_any_text_is_a_code_or_a_value_error(text):
    try:
        counts = rle.decoded(text)
    except ValueError:
        return
    assert all(count >= 0 for count in counts)


@given(st.lists(any_mask, min_size=1, max_size=1), st.integers(0, 2**16), st.integers(1, 6))
def test_the_consensus_of_runs_is_that_of_pixels(first, seed, size):
    shape = first[0].shape
    rng = np.random.default_rng(seed)
    answers = [first[0], *(rng.random(shape) < 0.5 for _ in range(size - 1))]
    skills = rng.uniform(0.55, 0.95, size).tolist()
    wanted = masks.consensus(answers, skills).mask
    found = masks.consensus_of_runs([rle.of_mask(answer) for answer in answers], skills)
    np.testing.assert_array_equal(rle.to_mask(found, *shape), wanted)


def test_large_masks_are_merged_by_their_runs():
    side = 10_000
    answers = [[side * start, side * 100, side * (side - start - 100)] for start in (1000, 1003, 998)]
    assert masks.consensus_of_runs(answers) == answers[0]  # columns 1000 to 1100: what two of three painted


def item(counts, size=(2, 3), name="cat"):
    return {"class": name, "size": list(size), "counts": counts}


@pytest.mark.parametrize(
    ("label", "code", "field"),
    [
        ([item([1, 2])], "runs_do_not_fit", "label[0].counts"),
        ([item([6])], "empty_mask", "label[0].counts"),
        ([item([])], "invalid_rle", "label[0].counts"),
        ([item([1.0, 5])], "invalid_rle", "label[0].counts"),
        ([item([True, 5])], "invalid_rle", "label[0].counts"),
        ([item([float("nan"), 5])], "invalid_rle", "label[0].counts"),
        ([item([10**30, 5])], "invalid_rle", "label[0].counts"),
        ([item(None)], "invalid_rle", "label[0].counts"),
        ([item("\ud800")], "invalid_rle", "label[0].counts"),
        ([item([0, 6], (0, 3))], "invalid_size", "label[0].size"),
        ([item([0, 6], (2, 3, 4))], "invalid_size", "label[0].size"),
        ([item([0, 6], (10**5, 10**5))], "too_large", "label[0].size"),
        ([item([0, 6]) | {"bbox": []}], "unknown_field", "label[0]"),
        ([item([0, 6], name="cow")], "unknown_class", "label[0].class"),
        ({"counts": []}, "invalid_label", "label"),
    ],
)
def test_bad_codes_name_what_is_wrong_and_where(label, code, field):
    value, findings = kinds.canonical(label, RULES)
    assert value is None
    assert [(finding.code, finding.field) for finding in findings] == [(code, field)]


def test_text_and_list_are_one_label():
    counts = [1, 2, 3]
    found = [kinds.canonical([item(form)], RULES)[0] for form in (counts, rle.encoded(counts), [1, 0, 0, 2, 3])]
    assert found[0] == found[1] == found[2] == [{"class": 0, "size": [2, 3], "counts": counts}]


def test_objects_are_matched_and_kept_by_quorum():
    kind = kinds.get("mask")
    one, two = ({"class": 0, "size": [10, 10], "counts": c} for c in ([0, 20, 80], [60, 20, 20]))
    shifted = one | {"counts": [1, 20, 79]}
    found = kind.consensus([[one, two], [shifted], [one]], [0.9, 0.8, 0.8], RULES)
    assert len(found) == 1
    assert kind.similarity([one], found, RULES) > 0.9
    assert kind.similarity([one], [one | {"size": [5, 20]}], RULES) == 0
