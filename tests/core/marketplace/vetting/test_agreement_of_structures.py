"""Agreement of numbers, sets, shapes, texts and orders."""

import numpy as np
import pytest

from marketplace.core import agreement_of_structures as agreement
from marketplace.core.checks import registry


def same_labels():
    square = {"class": 0, "points": [[0, 0], [4, 0], [4, 4], [0, 4]]}
    return {
        "multilabel": [0, 2],
        "bbox": [{"class": 0, "box": [1, 1, 5, 5]}],
        "polygon": [square],
        "mask": [[True, False]],
        "cuboid": [{"class": 0, "center": [0, 0, 0], "size": [1, 2, 3], "yaw": 0.4}],
        "keypoints": {"nose": [3, 4], "ear": None},
        "spans": [{"start": 0, "end": 4, "class": 0}],
        "transcription": "the cat",
        "ranking": [2, 0, 1],
    }


@pytest.mark.parametrize("task_type", sorted(agreement.SIMILARITY))
def test_equal_labels_agree_fully_and_the_interval_says_so(task_type):
    label = same_labels()[task_type]
    result = agreement.pairwise([[label, label, label]] * 5, agreement.SIMILARITY[task_type], np.random.default_rng(0))
    assert result.value == pytest.approx(1)
    assert (result.low, result.high) == pytest.approx((1, 1))
    assert result.n_records == 5


def test_every_task_type_but_plain_classes_has_a_similarity():
    assert set(registry.task_types()) - {"classification"} <= set(agreement.SIMILARITY)


def test_different_labels_agree_less():
    assert agreement.set_overlap([0], [1]) == 0
    assert agreement.text_similarity("", "") == 1
    assert agreement.text_similarity("abc", "") == 0
    assert agreement.order_agreement([0, 1], [1, 0]) == -1
    assert np.isnan(agreement.order_agreement([0], [0]))
    assert agreement.point_agreement({"a": None}, {"a": None}) == 1
    near = agreement.point_agreement({"a": [0, 0], "b": [100, 0]}, {"a": [1, 0], "b": [100, 0]})
    far = agreement.point_agreement({"a": [0, 0], "b": [100, 0]}, {"a": [30, 0], "b": None})
    assert far < 0.1
    assert 0.9 < near < 1


def test_pairwise_leaves_out_lone_answers_and_covers():
    rng = np.random.default_rng(1)
    lone = agreement.pairwise([["a"], []], agreement.text_similarity, rng)
    assert np.isnan(lone.value)
    assert lone.n_records == 0
    covered = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        records = [["x" if draw.random() < 0.8 else "y" for _ in range(3)] for _ in range(60)]
        result = agreement.pairwise(records, agreement.text_similarity, draw)
        covered += result.low <= 0.8**2 + 0.2**2 <= result.high
    assert covered >= 30


def test_interval_alpha_by_its_coincidences():
    rng = np.random.default_rng(2)
    task, values = np.repeat(np.arange(6), 3), rng.normal(size=18).round(1)
    values[:9] += 3
    within = (
        np.mean([(a - b) ** 2 for unit in range(6) for a in values[task == unit] for b in values[task == unit]]) * 9 / 6
    )  # nine ordered pairs a record, six of two different answers
    between = np.sum((values[:, np.newaxis] - values) ** 2) / (18 * 17)
    result = agreement.interval_alpha(task, values, rng)
    assert result.value == pytest.approx(1 - within / between)
    assert result.low < result.value < result.high


def test_interval_alpha_at_its_limits():
    rng = np.random.default_rng(3)
    assert agreement.interval_alpha([0, 0, 1, 1, 2, 2], [1, 1, 5, 5, 9, 9], rng).value == 1
    assert agreement.interval_alpha([0, 0, 1, 1], [2, 2, 2, 2], rng).value == 1
    assert np.isnan(agreement.interval_alpha([0, 1], [1, 2], rng).value)
    task = np.repeat(np.arange(400), 2)
    guessed = agreement.interval_alpha(task, rng.normal(size=800), rng)
    assert guessed.low < 0 < guessed.high
    with pytest.raises(ValueError, match="value 1 is not finite"):
        agreement.interval_alpha([0, 0], [1, np.nan], rng)
    with pytest.raises(ValueError, match="shapes differ"):
        agreement.interval_alpha([0, 0], [1], rng)
