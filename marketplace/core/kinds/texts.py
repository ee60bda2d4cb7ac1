"""Kinds of text: spans in one, a transcription."""

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.core.aggregation.structured import spans, transcription
from marketplace.core.checks import Finding, Rules
from marketplace.core.kinds.base import Kind, register


@register
class Spans(Kind):
    """Classed stretches of a text."""

    name = "spans"
    right_from = 0.8

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """F1 of (character, class) pairs."""
        return spans.f1(first, second)

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """Each character votes; runs of the winning class become spans."""
        ends = [span["end"] for value in values for span in value]
        found = spans.consensus(values, max(ends, default=0), len(rules.schema["classes"]), skills)
        return [{"class": span.class_index, "start": span.start, "end": span.end} for span in found]

    def public(self, value: Any, rules: Rules) -> Any:
        """Classes by name."""
        return named(value, rules)

    def record_findings(self, record: Mapping[str, Any]) -> list[Finding]:
        """The text, or its length where it stays with the customer: offsets have to be checked against it."""
        text, length = record.get("text"), record.get("length")
        is_length = isinstance(length, int) and not isinstance(length, bool) and length > 0
        if not (isinstance(text, str) and text) and not is_length:
            detail = "Give the record's text, or its length in characters, in its metadata."
            return [Finding("record_without_text", detail, "text")]
        return []

    def example(self, rules: Rules) -> Any:
        """The first characters as the first class."""
        return [{"class": rules.schema["classes"][0], "start": 0, "end": min(3, len(rules.record.get("text", "abc")))}]


@register
class Transcription(Kind):
    """A text that was heard or read."""

    name = "transcription"
    right_from = 0.9

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """One minus the character edits over the longer text's characters."""
        return 1 - transcription.distance(first, second) / max(len(first), len(second), 1)

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """The text nearest to all others."""
        return transcription.consensus(values, skills).text

    def is_telling_error(self, value: Any) -> bool:
        """Right texts are alike; longer wrong ones are wrong each in its own way."""
        return len(value) >= 20

    def example(self, rules: Rules) -> Any:
        """A few words."""
        return "The words as they are spoken."


def named(value: Any, rules: Rules) -> Any:
    """Return classed items with their classes by name."""
    return [dict(item) | {"class": rules.schema["classes"][item["class"]]} for item in value]
