"""What is out of scope is found from some answers, and German among English reviews is left alone."""

import numpy as np
import pytest

from benchmarks.scope import __main__ as scope
from benchmarks.scope import languages


@pytest.mark.parametrize("name", ["digits", "blobs", "topics", "faces_of_dice"])
def test_unwanted_classes_are_found_from_200_answers(name):
    precision, recall = np.mean([scope.planted(name, 0.4, 200, seed) for seed in range(2)], axis=0)
    assert precision >= 0.9
    assert recall >= 0.9


def test_german_reviews_are_hardly_picked_all_marked_and_none_called_harmful():
    found = scope.reviews(0.3, 0, trusts=True)
    assert found["picked"] <= 0.02
    assert found["precision"] == found["recall"] == 1.0
    assert found["harmful"] == 0.0
    assert found["accuracy"] >= 0.98


def test_without_an_anchor_one_batch_is_enough_to_learn_of_them():
    found = scope.reviews(0.15, 1, trusts=False)
    assert found["after the first batch"] <= 0.01
    assert found["recall"] == 1.0


def test_reviews_are_repeatable_and_in_two_languages():
    one, again = languages.make(3, n=200), languages.make(3, n=200)
    assert one.texts == again.texts
    assert np.array_equal(one.X, again.X)
    german = [text for text, is_german in zip(one.texts, one.is_german, strict=True) if is_german]
    english = set(one.texts) - set(german)
    assert len(german) > 40
    assert not english & set(german)
    assert not any(character in text for text in english for character in "äöüß")
    assert (one.answer[one.is_german == 1] == -1).all()
