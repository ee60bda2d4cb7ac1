"""Everything a vendor is told has words."""

import pytest

from marketplace.core import notices


@pytest.mark.parametrize("kind", notices.kinds())
def test_every_kind_has_words_with_its_facts_in_them(kind):
    facts = {"job": "Animals", "until": "2026-11-23T10:15:00+00:00", "place": None, "n": 3, "why": "blurred"}
    facts |= {"document": "licence for Animals", "state": "Animals", "action": "Animals", "version": 2, "round": 2}
    words = notices.words_of(kind, facts)
    assert "Animals" in words
    assert "{" not in words


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="a notice is one of"):
        notices.words_of("offer.lost", {})
