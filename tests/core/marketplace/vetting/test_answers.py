"""Answers and what is known are checked when made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.aggregation import Answers, aggregate, encode


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0], [2], 1, 1, 2), r"label\[0\] is 2, outside 0..1"),
        (([0, 3], [0, 0], [0, 0], 2, 1, 2), r"task\[1\] is 3, outside 0..1"),
        (([0], [-1], [0], 1, 1, 2), r"annotator\[0\] is -1"),
        (([0, 1], [0, 0], [0], 2, 1, 2), "lengths differ: 2 tasks, 2 annotators, 1 labels"),
        (([0.5], [0], [0], 1, 1, 2), "integers, got dtype float64"),
        (([[0]], [0], [0], 1, 1, 2), "2 dimensions"),
        (([], [], [], 1, 1, 0), "n_classes >= 1"),
        (([0, 0], [0, 0], [0, 1], 1, 1, 2), "annotator 0 answered record 0 twice"),
    ],
)
def test_malformed_answers_say_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        Answers(*arguments)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"gold": {2: 0}}, "gold names record 2, outside 0..1"),
        ({"gold": {0: 5}}, "gold of record 0 is class 5, outside 0..1"),
        ({"prior": [[0.5, 0.5]]}, r"prior has shape \(1, 2\), the job \(2, 2\)"),
        ({"prior": [[0.5, 0.5], [-0.1, 1.1]]}, "non-negative"),
        ({"prior": [[0.5, 0.5], [0, 0]]}, "not all zero"),
        ({"prior": [[0.5, 0.5], [np.nan, 1]]}, "non-negative"),
    ],
)
def test_malformed_knowledge_says_what_is_wrong(known, message):
    with pytest.raises(ValueError, match=message):
        aggregate(Answers([0, 1], [0, 0], [0, 1], 2, 1, 2), **known)


def test_the_last_answer_wins():
    answers = Answers.keep_last([0, 0, 0], [0, 1, 0], [0, 0, 1], n_tasks=1, n_annotators=2, n_classes=2)
    assert answers.votes.tolist() == [[1, 1]]


def test_stored_arrays_cannot_be_changed():
    answers = Answers([0], [0], [0], 1, 1, 2)
    with pytest.raises(ValueError, match="read-only"):
        answers.label[0] = 1


rows = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.sampled_from("kl")), max_size=30)


@given(rows)
def test_encoding_keeps_the_last_answer_of_each_pair(rows):
    encoded = encode(rows, classes=["k", "l"])
    answers = encoded.answers
    decoded = {
        (encoded.tasks[task], encoded.annotators[person]): encoded.classes[label]
        for task, person, label in zip(answers.task, answers.annotator, answers.label, strict=True)
    }
    assert decoded == {(task, person): label for task, person, label in rows}


def test_encoding_refuses_an_unknown_class_and_repeated_names():
    with pytest.raises(ValueError, match="row 1: label 'c' is not among the 2 classes"):
        encode([("t", "w", "a"), ("u", "w", "c")], classes=["a", "b"])
    with pytest.raises(ValueError, match="tasks repeat"):
        encode([], classes=["a"], tasks=["t", "t"])


@given(rows)
def test_any_answers_give_a_distribution_per_record(rows):
    result = aggregate(encode(rows, classes=["k", "l"], tasks=list("abcd")).answers)
    np.testing.assert_allclose(result.posterior.sum(axis=1), 1)
    assert (result.skill_low <= result.skill_high).all()
