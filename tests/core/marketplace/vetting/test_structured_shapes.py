"""Polygons, masks and cuboids: the crowd beats its members, order changes nothing, bad geometry is refused by rule."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.core.aggregation.structured import cuboids, masks, matching, polygons


def polygon(points, index=0):
    return {"class": index, "points": points}


def circle(x, y, radius, n=24, wobble=None):
    angles = np.arange(n) * math.tau / n
    length = radius * (1 if wobble is None else 1 + wobble)
    return polygon(np.column_stack([x + length * np.cos(angles), y + length * np.sin(angles)]).tolist())


def square(x, y, side, index=0):
    return polygon([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], index)


def cuboid(x, y, z=0.0, size=(4.0, 2.0, 1.5), yaw=0.0, index=0):
    return {"class": index, "center": [x, y, z], "size": list(size), "yaw": yaw}


def test_polygons_are_matched_and_kept_by_quorum():
    answers = [[square(0, 0, 10), square(50, 50, 8, 1)], [square(50, 51, 8, 1), square(1, 0, 10)], [square(0, 1, 10)]]
    found = polygons.consensus(answers)
    assert [item.class_index for item in found] == [0, 1]
    assert found[0].confidence == pytest.approx(1)
    assert found[1].confidence == pytest.approx(2 / 3)
    assert all(item.outline_agreement > 0.7 for item in found)
    assert polygons.consensus([[], [], [square(0, 0, 5)]]) == []


def test_overlap_of_polygons_against_the_exact_area():
    assert polygons.iou([square(0, 0, 10)], [square(5, 0, 10)])[0, 0] == pytest.approx(1 / 3, abs=0.02)
    triangle = polygon([[0, 0], [10, 0], [0, 10]])
    assert polygons.iou([square(0, 0, 10)], [triangle])[0, 0] == pytest.approx(0.5, abs=0.02)
    assert polygons.iou([square(0, 0, 10)], [square(10, 0, 10)])[0, 0] == 0
    hollow = polygon([[0, 0], [10, 0], [10, 10], [7, 10], [7, 3], [3, 3], [3, 10], [0, 10]])  # a U of area 72
    assert polygons.iou([hollow], [square(0, 0, 10)])[0, 0] == pytest.approx(0.72, abs=0.02)


def test_the_consensus_outline_beats_the_average_annotator():
    rng = np.random.default_rng(0)
    truth = [circle(50, 50, 20)]
    single, together = [], []
    for _ in range(8):
        answers = [
            [circle(50 + rng.normal(0, 2), 50 + rng.normal(0, 2), 20, wobble=rng.normal(0, 0.1, 24))] for _ in range(5)
        ]
        single.append(np.mean([polygons.mean_iou(answer, truth) for answer in answers]))
        [item] = polygons.consensus(answers)
        together.append(polygons.mean_iou([polygon(item.points)], truth))
    assert np.mean(together) > np.mean(single) + 0.01


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([[0, 0], [2, 2], [2, 0], [0, 2]], "crosses or touches itself"),
        ([[0, 0], [4, 0], [0, math.nan]], "point 2 is not finite"),
        ([[0, 0], [4, 0], [0, math.inf]], "point 2 is not finite"),
        ([[0, 0], [4, 0]], "at least 3 points"),
        ([[0, 0], [2, 0], [4, 0]], "no area"),
        ([[0, 0, 0], [4, 0, 0], [0, 4, 0]], r"points \[x, y\]"),
    ],
)
def test_what_is_no_polygon_is_refused_with_its_place(points, words):
    with pytest.raises(ValueError, match=rf"answer 1, polygon 0: .*{words}"):
        polygons.consensus([[square(0, 0, 4)], [polygon(points)]])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_polygon_consensus_is_drawn_by_somebody_and_does_not_depend_on_order(seed, n_annotators):
    rng = np.random.default_rng(seed)
    answers = [
        [circle(*(centre + rng.normal(0, 1, 2)), 8) for centre in ((20, 20), (60, 60)) if rng.random() < 0.9]
        for _ in range(n_annotators)
    ]
    found = polygons.consensus(answers)
    drawn = {tuple(map(tuple, item["points"])) for answer in answers for item in answer}
    assert all(item.points in drawn and 0 <= item.confidence <= 1 + 1e-9 for item in found)
    again = polygons.consensus(answers[::-1])
    assert len(again) == len(found)


def test_masks_learn_who_errs_and_how():
    rng = np.random.default_rng(1)
    truth = np.zeros((40, 40), dtype=bool)
    truth[10:30, 12:28] = True
    sees, spares = np.array([0.95, 0.95, 0.6, 0.55, 0.6]), np.array([0.98, 0.97, 0.6, 0.55, 0.6])
    answers = [
        np.where(truth, rng.random(truth.shape) < a, rng.random(truth.shape) > b)
        for a, b in zip(sees, spares, strict=True)
    ]
    result = masks.consensus(answers)
    vote = np.mean(answers, axis=0) > 0.5
    assert masks.iou(result.mask, truth) > masks.iou(vote, truth) + 0.05
    np.testing.assert_allclose(result.sensitivity, sees, atol=0.1)
    np.testing.assert_allclose(result.specificity, spares, atol=0.1)


def test_masks_of_few_and_none():
    one = np.array([[True, False]])
    assert masks.consensus([one]).mask.tolist() == [[True, False]]
    both = masks.consensus([one, ~one], [0.9, 0.6])
    assert both.mask.tolist() == [[True, False]]
    empty = masks.consensus([np.zeros((2, 2))] * 3)
    assert not empty.mask.any()
    assert masks.iou(empty.mask, empty.mask) == 1
    with pytest.raises(ValueError, match="at least 1 answer"):
        masks.consensus([])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [([[1, 0, 1]], "shape"), ([[1.0, math.nan]], "other than 0 and 1"), ([[2, 0]], "other than 0 and 1")],
)
def test_wrong_masks_are_refused(wrong, words):
    with pytest.raises(ValueError, match=rf"mask 1 .*{words}"):
        masks.consensus([[[1, 0]], wrong])
    with pytest.raises(ValueError, match="at most 60"):
        masks.consensus([[[1, 0]]] * 61)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_masks_keep_what_all_say_and_do_not_depend_on_order(seed, n_annotators):
    rng = np.random.default_rng(seed)
    answers = [rng.random((6, 7)) < 0.5 for _ in range(n_annotators)]
    result = masks.consensus(answers)
    assert np.isfinite(result.probability).all()
    assert result.mask[np.all(answers, axis=0)].all()
    assert not result.mask[~np.any(answers, axis=0)].any()
    np.testing.assert_allclose(masks.consensus(answers[::-1]).probability, result.probability, atol=1e-9)


def test_cuboids_are_matched_and_merged():
    answers = [
        [cuboid(10, 5, yaw=0.1), cuboid(30, 0, index=1)],
        [cuboid(10.2, 5, yaw=0.1 + math.pi), cuboid(30, 0.2, index=1)],
        [cuboid(9.9, 5.1, yaw=0.12), cuboid(60, 60)],
    ]
    found = cuboids.consensus(answers)
    assert [item.class_index for item in found] == [0, 1]
    assert found[0].center == pytest.approx((10, 5, 0))
    assert found[0].yaw == pytest.approx(0.107, abs=0.01)  # the opposite yaw turns nothing across
    assert found[1].confidence == pytest.approx(2 / 3)
    assert cuboids.mean_iou(answers[0], answers[0]) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-math.pi, math.pi), st.floats(-1, 1))
def test_overlap_of_cuboids_against_sampling(x, y, yaw, z):
    one, other = cuboid(0, 0), cuboid(x, y, z, (3.0, 2.5, 1.0), yaw)
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (20_000, 3)) * [2, 1, 0.75]  # inside the first
    moved = points - [x, y, z]
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    moved[:, :2] = moved[:, :2] @ turn
    common = np.all(np.abs(moved) <= [1.5, 1.25, 0.5], axis=1).mean() * 12
    expected = common / (12 + 7.5 - common)
    assert cuboids.iou([one], [other])[0, 0] == pytest.approx(expected, abs=0.02)
    assert cuboids.iou([other], [one])[0, 0] == pytest.approx(cuboids.iou([one], [other])[0, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (cuboid(math.nan, 0), "finite"),
        (cuboid(0, 0, size=(1.0, 0.0, 1.0)), "positive"),
        (cuboid(0, 0, yaw=math.inf), "finite"),
    ],
)
def test_wrong_cuboids_are_refused_with_their_place(wrong, words):
    with pytest.raises(ValueError, match=rf"answer 0, cuboid 1: .*{words}"):
        cuboids.consensus([[cuboid(0, 0), wrong]])


def test_agreement_counts_missed_objects():
    assert matching.mean_overlap([], [], polygons.iou) == 1
    assert matching.mean_overlap([square(0, 0, 4)], [], polygons.iou) == 0
    assert polygons.mean_iou([square(0, 0, 4), square(20, 20, 4)], [square(0, 0, 4)]) == pytest.approx(0.5)
