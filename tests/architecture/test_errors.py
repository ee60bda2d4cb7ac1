"""Errors can be told apart by their code, and each says in one sentence what to do."""

from collections import Counter

from api.description import error_classes
from common.errors import DomainError


def test_every_error_has_a_code_of_its_own():
    assert [kind.__name__ for kind in error_classes() if "code" not in vars(kind)] == []
    assert [code for code, n in Counter(kind.code for kind in error_classes()).items() if n > 1] == []


def test_every_error_is_one_sentence_and_named_as_an_error():
    for kind in error_classes():
        assert kind.title().endswith("."), kind
        assert kind is DomainError or kind.__name__.endswith("Error"), kind
        assert 400 <= kind.http_status < 600, kind
