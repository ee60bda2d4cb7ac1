"""Consensus of structured labels: the crowd beats its members, order changes nothing, edges are defined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.aggregation.structured import boxes, keypoints, multilabel, ranking, spans, transcription, weights


def box(x, y, width, height, index=0):
    return {"class": index, "box": [x, y, width, height]}


def span(start, end, index=0):
    return {"start": start, "end": end, "class": index}


def test_boxes_are_matched_averaged_and_kept_by_quorum():
    answers = [
        [box(10, 10, 20, 20), box(60, 60, 10, 10, 1)],
        [box(61, 60, 10, 10, 1), box(11, 10, 20, 20)],
        [box(9, 10, 21, 20), box(90, 90, 5, 5)],
    ]
    found = boxes.consensus(answers)
    assert [item.class_index for item in found] == [0, 1]
    assert found[0].box == (10, 10, 20, 20)
    assert found[0].confidence == pytest.approx(1)
    assert found[1].confidence == pytest.approx(2 / 3)


def test_noisy_boxes_average_to_better_ones():
    rng = np.random.default_rng(0)
    truth = [[20, 20, 40, 30], [100, 50, 30, 60]]
    answers = [[box(*(np.array(real) + rng.normal(0, 3, 4))) for real in truth] for _ in range(7)]
    single = np.mean([boxes.mean_iou(answer, [box(*real) for real in truth]) for answer in answers])
    together = [{"class": 0, "box": list(item.box)} for item in boxes.consensus(answers)]
    assert boxes.mean_iou(together, [box(*real) for real in truth]) > single


def test_nothing_to_see_is_an_answer():
    assert boxes.consensus([[], [], [box(0, 0, 5, 5)]]) == []
    assert boxes.mean_iou([], []) == 1
    assert boxes.mean_iou([box(0, 0, 5, 5)], []) == 0
    assert boxes.match(np.empty((0, 4)), np.ones((1, 4))) == []


def test_crowded_boxes_are_matched_one_to_one():
    row = [box(x, 0, 10, 10) for x in (0, 4, 8, 12)]
    assert len(boxes.consensus([row, row[::-1], row])) == 4


def test_skill_decides_between_classes():
    found = boxes.consensus([[box(0, 0, 9, 9, 1)], [box(0, 0, 9, 9, 0)], [box(0, 0, 9, 9, 0)]], [0.99, 0.55, 0.55])
    assert found[0].class_index == 1
    assert found[0].class_confidence > 0.5


def test_spans_vote_by_character():
    found = spans.consensus([[span(0, 5), span(10, 14, 1)], [span(0, 6), span(10, 14, 1)], [span(1, 5)]], 20, 2)
    assert [(item.class_index, item.start, item.end) for item in found] == [(0, 0, 5), (1, 10, 14)]
    assert found[1].confidence == pytest.approx(2 / 3)


def test_neighbouring_spans_stay_apart():
    answer = [span(0, 4), span(4, 9)]
    found = spans.consensus([answer, answer, [span(0, 9)]], 12, 1)
    assert [(item.start, item.end) for item in found] == [(0, 4), (4, 9)]


def test_span_edges():
    assert spans.consensus([[], []], 10, 1) == []
    assert spans.consensus([[]], 0, 1) == []
    assert spans.f1([], []) == 1
    assert spans.f1([span(0, 4)], [span(2, 6)]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="does not fit 3 characters"):
        spans.consensus([[span(0, 4)]], 3, 1)


def test_medoid_text_is_the_one_the_others_are_near():
    texts = ["the cat sat", "the cat sat on", "a bat spat", "the cat sat"]
    result = transcription.consensus(texts)
    assert (result.text, result.position) == ("the cat sat", 0)
    assert 0.5 < result.agreement < 1
    assert transcription.consensus(["alone"]).agreement == 1
    assert transcription.consensus(["bad text", "good text"], [0.6, 0.95]).text == "good text"


def slow_distance(first, second):
    table = list(range(len(second) + 1))
    for row, left in enumerate(first, 1):
        previous, table[0] = table[0], row
        for column, right in enumerate(second, 1):
            cost = min(table[column] + 1, table[column - 1] + 1, previous + (left != right))
            previous, table[column] = table[column], cost
    return table[-1]


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_distance_equals_the_plain_recurrence(first, second):
    assert transcription.distance(first, second) == slow_distance(first, second)


def test_ranking_recovers_the_order():
    rng = np.random.default_rng(0)
    strength = np.array([8.0, 4.0, 2.0, 1.0])
    orders = [np.argsort(-(np.log(strength) + rng.gumbel(size=4))).tolist() for _ in range(200)]
    result = ranking.consensus(orders, 4)
    assert result.order == [0, 1, 2, 3]
    assert all(0.5 < ahead < 0.85 for ahead in result.confidence)
    np.testing.assert_allclose(result.strength.sum(), 1)


def test_pairwise_comparisons_and_ties():
    assert ranking.consensus([[2, 0], [0, 1], [2, 1]], 3).order == [2, 0, 1]
    assert ranking.consensus([[0, 1], [1, 0]], 2).confidence == [pytest.approx(0.5)]
    with pytest.raises(ValueError, match="distinct items"):
        ranking.consensus([[0, 0]], 2)


def test_keypoints_take_the_median_of_those_who_see():
    answers = [{"nose": [10, 10]}, {"nose": [11, 10]}, {"nose": [90, 90]}, {"nose": None}]
    nose = keypoints.consensus(answers)["nose"]
    assert nose.point == (11, 10)
    assert nose.confidence == pytest.approx(0.75)
    hidden = keypoints.consensus([{"nose": None}, {"nose": None}, {"nose": [1, 1]}])["nose"]
    assert hidden.point is None
    with pytest.raises(ValueError, match="different points"):
        keypoints.consensus([{"nose": None}, {"ear": None}])


def test_multilabel_beats_the_single_annotator():
    rng = np.random.default_rng(0)
    truth = rng.random((200, 4)) < 0.3
    task, annotator = np.divmod(np.arange(1000), 5)
    given_labels = truth[task] ^ (rng.random((1000, 4)) < 0.15)
    labels = [np.flatnonzero(row).tolist() for row in given_labels]
    result = multilabel.consensus(task, annotator, labels, n_tasks=200, n_annotators=5, n_classes=4)
    assert ((result.probability > 0.5) == truth).mean() > 0.95
    assert result.labels[0] == np.flatnonzero(truth[0]).tolist()


@pytest.mark.parametrize(
    ("skills", "count", "message"),
    [(None, 0, "at least 1 answer"), ([0.5], 2, "1 skills for 2 answers"), ([0.5, 1.0], 2, "within")],
)
def test_impossible_weights_are_refused(skills, count, message):
    with pytest.raises(ValueError, match=message):
        weights.of_skills(skills, count)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=8))
def test_weights_sum_to_one_and_leave_nobody_out(skills):
    share = weights.of_skills(skills, len(skills))
    assert share.sum() == pytest.approx(1)
    assert (share > 0).all()
