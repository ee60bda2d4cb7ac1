"""Utilities of boxes, masks, tags, numbers and spans: planted records come first, counts are kept in check."""

import numpy as np
import pytest

from curation.core import selection, utilities
from curation.core.arrays import Asked
from curation.core.problem import Problem
from curation.core.utilities import Boxes


def boxes(*rows: tuple[float, ...], k: int = 2) -> Boxes:
    array = np.array(rows, dtype=float).reshape(len(rows), 4 + k)
    return Boxes(array[:, :4], array[:, 4:])


SURE, TORN = (0, 0, 4, 4, 0.98, 0.02), (0, 0, 4, 4, 0.5, 0.5)


def test_torn_boxes_come_before_sure_ones_and_empty_records_last():
    values = utilities.detection([boxes(SURE), boxes(TORN), boxes()])
    assert values.argsort()[::-1].tolist() == [1, 0, 2]
    assert values[2] == 0


@pytest.mark.parametrize(("how", "ratio"), [("sum", 16), ("sqrt", 4), ("mean", 1), ("max", 1)])
def test_counts_weigh_as_told(how, ratio):
    one, many = utilities.detection([boxes(TORN), boxes(*[TORN] * 16)], how=how)
    assert many / one == pytest.approx(ratio)


def test_a_rare_class_weighs_more_and_none_more_than_ten_times():
    rare, common = boxes((0, 0, 1, 1, 0.4, 0.6)), boxes((0, 0, 1, 1, 0.6, 0.4))
    values = utilities.detection([rare, common], counts=np.array([1000, 0]))
    assert values[0] > values[1]
    assert utilities.rarity(np.array([[0.0, 1.0]]), np.array([10**6, 0])) == pytest.approx([10])


def test_models_that_agree_disagree_by_nothing_wherever_their_boxes_stand():
    one = boxes((0, 0, 2, 2, 1, 0), (5, 5, 9, 9, 0, 1))
    turned = boxes((5, 5, 9, 9, 0, 1), (0, 0, 2, 2, 1, 0))
    assert utilities.box_disagreement([one, boxes()], [turned, boxes()]) == pytest.approx([0, 0])


def test_planted_disagreements_are_ordered():
    base = boxes((0, 0, 4, 4, 1, 0))
    others = [
        base,
        boxes((0, 0, 4, 3.6, 1, 0)),
        boxes((0, 0, 4, 2, 1, 0)),
        boxes((0, 0, 4, 4, 1, 0), (8, 8, 9, 9, 1, 0), (9, 0, 10, 1, 1, 0)),
        boxes((0, 0, 4, 4, 0, 1)),
        boxes(),
    ]
    values = utilities.box_disagreement([base] * 6, others)
    assert values == pytest.approx([0, 0.1, 0.5, 2 / 3, 1, 1])


def test_matching_is_one_to_one_and_best_in_total():
    pair = boxes((0, 0, 4, 4, 1, 0), (0, 0, 4, 5, 1, 0))
    assert utilities.box_disagreement([pair], [boxes((0, 0, 4, 4, 1, 0), (0, 0, 4, 4, 1, 0))]) == pytest.approx([0.1])


def test_small_uncertain_objects_do_not_drown_in_background():
    background = np.full((40, 40), 0.01)
    spot = background.copy()
    spot[:4, :4] = 0.5
    values = utilities.masks([background, spot, np.full((40, 40, 3), 1 / 3)])
    assert values[0] < 0.1
    assert values[1] > 2 * values[0]
    assert values[2] == pytest.approx(1)


def test_tags_numbers_and_spans_have_their_planted_order():
    assert utilities.multilabel(np.array([[0.9, 0.9], [0.5, 0.9], [0.5, 0.5]])).argsort().tolist() == [0, 1, 2]
    ensemble = np.random.default_rng(0).normal(size=(5, 20, 2)) * np.array([0.1, 10])
    ensemble[:, 7] *= 20
    assert utilities.regression(ensemble).argmax() == 7
    sure = np.tile([0.98, 0.01, 0.01], (6, 1))
    torn, missed = sure.copy(), sure.copy()
    torn[2:4] = 0.1, 0.5, 0.4
    missed[2] = 0.55, 0.44, 0.01
    values = utilities.spans([sure, torn, missed, np.zeros((0, 3))])
    assert values.tolist() == pytest.approx([0, 0.9, 0.89, 0])


def test_neighbouring_tokens_of_one_tag_are_one_span():
    long = np.tile([0.3, 0.7], (5, 1))
    assert utilities.spans([long], how="sum") == pytest.approx(utilities.spans([long[:1]], how="sum"))


def test_a_detector_steers_selection():
    rng = np.random.default_rng(0)
    records = [boxes(TORN) if row < 10 else boxes(SURE) for row in range(60)]
    X = rng.normal(size=(60, 4)).astype(np.float32)
    problem = Problem(X, Asked.nothing(), 2, utility=utilities.detection(records))
    for name in ("utility", "uncertainty_herding", "auto"):
        picks = selection.select(problem, name=name, n_picks=5, control_ratio=0.0, seed=0)
        assert sum(pick.row < 10 for pick in picks) >= 4
        assert all("utility_given" in pick.parts for pick in picks)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Boxes(np.zeros((2, 3)), np.zeros((2, 1))), r"boxes must be \(b, 4\)"),
        (lambda: boxes((4, 0, 0, 4, 0.5, 0.5)), "right >= left"),
        (lambda: boxes((0, 0, 1, 1, 1.5, 0)), "first bad row 0"),
        (lambda: utilities.pool([], "median"), "choose one of sum, mean, max, sqrt"),
        (lambda: utilities.box_disagreement([boxes()], []), "1 records of one model, 0 of the other"),
        (lambda: utilities.box_disagreement([boxes(SURE)], [boxes((0, 0, 1, 1, 0.5), k=1)]), "2 classes, the other 1"),
        (lambda: utilities.masks([], share=0), "share must lie"),
        (lambda: utilities.multilabel(np.array([[np.nan]])), "first bad row 0"),
        (lambda: utilities.regression(np.zeros((1, 4))), "at least two members"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
