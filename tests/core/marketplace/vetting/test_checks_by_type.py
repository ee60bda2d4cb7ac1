"""Checks of the task types beside classification: what passes, and the reason why the rest does not."""

import pytest

from marketplace.core.checks import Annotation, Rules, check, check_schema
from marketplace.core.checks.polygons import crosses_itself

image = {"width": 100, "height": 50}
text = {"text": "Ann met Bob in Rome."}
two = {"classes": ["cat", "dog"]}


def box(*numbers, name="cat"):
    return {"class": name, "box": list(numbers)}


def ring(*points, name="cat"):
    return {"class": name, "points": [list(point) for point in points]}


square = ((0, 0), (10, 0), (10, 10), (0, 10))

passing = [
    ("multilabel", two, {}, ["dog", "cat"], [0, 1]),
    ("multilabel", two, {}, [], []),
    ("bbox", two, image, [], []),
    ("bbox", two, image, [box(0, 0, 100, 50)], [{"class": 0, "box": [0.0, 0.0, 100.0, 50.0]}]),
    ("polygon", two, image, [ring(*square)], [{"class": 0, "points": [list(map(float, p)) for p in square]}]),
    (
        "spans",
        two,
        text,
        [{"class": "dog", "start": 8, "end": 11, "text": "Bob"}],
        [{"class": 1, "start": 8, "end": 11}],
    ),
    ("transcription", {}, {}, "  Cafe\u0301 ", "Café"),
    ("ranking", {}, {"items": ["a", "b", "c"]}, ["c", "a", "b"], [2, 0, 1]),
    (
        "keypoints",
        {"points": ["nose", "tail"]},
        image,
        {"tail": None, "nose": [1, 2]},
        {"nose": [1.0, 2.0], "tail": None},
    ),
    (
        "cuboid",
        two,
        {},
        [{"class": "cat", "center": [1, 2, 3], "size": [4, 2, 1.5], "yaw": 0}],
        [{"class": 0, "center": [1.0, 2.0, 3.0], "size": [4.0, 2.0, 1.5], "yaw": 0.0}],
    ),
]


@pytest.mark.parametrize(("task_type", "schema", "record", "label", "value"), passing)
def test_sound_labels_are_brought_into_canonical_form(task_type, schema, record, label, value):
    assert check_schema(task_type, schema) == []
    outcome = check(Annotation("r", label), Rules(task_type, schema, record))
    assert outcome.findings == ()
    assert outcome.value == value


failing = [
    ("multilabel", two, {}, ["cat", "cat"], "repeated_class"),
    ("multilabel", two, {}, ["cow"], "unknown_class"),
    ("multilabel", two, {}, "cat", "invalid_label"),
    ("multilabel", two | {"min_count": 1}, {}, [], "wrong_count"),
    ("bbox", two, image, [box(0, 0, 101, 50)], "outside_record"),
    ("bbox", two, image, [box(-1, 0, 10, 10)], "outside_record"),
    ("bbox", two, image, [box(0, 0, 0, 10)], "empty_box"),
    ("bbox", two, image, [box(0, 0, float("nan"), 10)], "invalid_box"),
    ("bbox", two, image, [box(0, 0, 10**400, 10)], "invalid_box"),
    ("bbox", two, image, [box(0, 0, True, 10)], "invalid_box"),
    ("bbox", two, image, [box(0, 0, 10)], "invalid_box"),
    ("bbox", two, image, [box(0, 0, 10, 10, name="cow")], "unknown_class"),
    ("bbox", two, image, ["box"], "invalid_item"),
    ("bbox", two | {"max_count": 1}, image, [box(0, 0, 1, 1)] * 2, "wrong_count"),
    ("bbox", two | {"min_width": 5}, image, [box(0, 0, 4, 10)], "breaks_min_width"),
    ("bbox", two | {"max_area": 50}, image, [box(0, 0, 10, 10)], "breaks_max_area"),
    ("bbox", two | {"max_aspect_ratio": 3}, image, [box(0, 0, 1, 10)], "breaks_max_aspect_ratio"),
    ("polygon", two, image, [ring((0, 0), (10, 10), (10, 0), (0, 10), (5, 20))], "self_crossing"),
    ("polygon", two, image, [ring((0, 0), (5, 5), (10, 10))], "too_small"),
    ("polygon", two, image, [ring((0, 0), (5, 5))], "invalid_points"),
    ("polygon", two, image, [ring((0, 0), (5, 5), (1, float("inf")))], "invalid_points"),
    ("polygon", two, image, [ring((0, 0), (200, 0), (0, 20))], "outside_record"),
    ("polygon", two | {"min_area": 500}, image, [ring(*square)], "too_small"),
    ("spans", two, text, [{"class": "cat", "start": 15, "end": 99}], "outside_record"),
    ("spans", two, text, [{"class": "cat", "start": 5, "end": 5}], "invalid_offsets"),
    ("spans", two, text, [{"class": "cat", "start": 1.0, "end": 3}], "invalid_offsets"),
    ("spans", two, text, [{"class": "cat", "start": 0, "end": 3, "text": "Bob"}], "text_mismatch"),
    (
        "spans",
        two,
        text,
        [{"class": "cat", "start": 0, "end": 3}, {"class": "dog", "start": 2, "end": 5}],
        "overlapping_spans",
    ),
    ("transcription", {}, {}, " \n", "empty_text"),
    ("transcription", {}, {}, "a\x00b", "invalid_text"),
    ("transcription", {}, {}, "\ud800", "invalid_text"),
    ("transcription", {"max_length": 3}, {}, "long", "wrong_length"),
    ("transcription", {}, {}, 5, "invalid_label"),
    ("ranking", {}, {"items": ["a", "b"]}, ["a", "a"], "not_a_permutation"),
    ("ranking", {}, {"items": ["a", "b"]}, ["a"], "not_a_permutation"),
    ("ranking", {}, {}, ["a"], "record_without_items"),
    ("keypoints", {"points": ["nose"]}, image, {"nose": [1]}, "invalid_point"),
    ("keypoints", {"points": ["nose"]}, image, {"nose": [500, 1]}, "outside_record"),
    ("keypoints", {"points": ["nose"]}, image, {"ear": [1, 1]}, "wrong_points"),
    ("cuboid", two, {}, [{"class": "cat", "center": [1, 2, 3], "size": [1, 0, 1]}], "empty_cuboid"),
    ("cuboid", two, {}, [{"class": "cat", "center": [1, 2], "size": [1, 1, 1]}], "invalid_cuboid"),
    (
        "cuboid",
        two | {"max_size": 5},
        {},
        [{"class": "cat", "center": [1, 2, 3], "size": [9, 1, 1]}],
        "breaks_max_size",
    ),
]


@pytest.mark.parametrize(("task_type", "schema", "record", "label", "code"), failing)
def test_unsound_labels_have_a_reason(task_type, schema, record, label, code):
    assert check_schema(task_type, schema) == []
    outcome = check(Annotation("r", label), Rules(task_type, schema, record))
    assert outcome.status == "rejected"
    assert code in {finding.code for finding in outcome.findings}


@pytest.mark.parametrize(
    ("task_type", "schema", "code"),
    [
        ("bbox", two | {"max_count": -1}, "invalid_count"),
        ("bbox", two | {"min_area": "big"}, "invalid_limit"),
        ("spans", two | {"may_overlap": 1}, "invalid_flag"),
        ("transcription", {"min_length": 0}, "invalid_length"),
        ("keypoints", {"points": ["a", "a"]}, "repeated_point"),
        ("ranking", [], "invalid_schema"),
    ],
)
def test_unsound_schemas_have_a_reason(task_type, schema, code):
    assert [finding.code for finding in check_schema(task_type, schema)] == [code]


def test_spans_may_overlap_where_the_job_says_so():
    spans = [{"class": "cat", "start": 0, "end": 7}, {"class": "dog", "start": 4, "end": 11}]
    assert check(Annotation("r", spans), Rules("spans", two | {"may_overlap": True}, text)).status == "accepted"


def test_touching_outlines_count_as_crossing():
    assert crosses_itself([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]])
    assert not crosses_itself([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]])


def test_a_flood_of_bad_items_is_cut_short():
    outcome = check(Annotation("r", [{"class": "cow"}] * 9999), Rules("bbox", two, image))
    assert len(outcome.findings) == 20
