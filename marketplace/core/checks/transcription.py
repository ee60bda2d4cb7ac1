"""Transcription: text of the record's speech or image."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import registry
from marketplace.core.checks.model import Finding, Rules

MAX_CHARACTERS = 100_000


class TranscriptionCheck:
    """Schema ``{"min_length"?, "max_length"?}`` in characters; a label is a text, compared in Unicode form C."""

    takes_classes = False
    rules: tuple[str, ...] = ("min_length", "max_length")

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """Whole 1 <= min_length <= max_length."""
        if not isinstance(schema, Mapping):
            return [Finding("invalid_schema", "The schema must be an object.", "schema")]
        least, most = _lengths(schema)
        is_whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (least, most))
        if not is_whole or not 1 <= least <= most <= MAX_CHARACTERS:
            detail = f"Need whole 1 <= min_length <= max_length <= {MAX_CHARACTERS}."
            return [Finding("invalid_length", detail, "max_length")]
        return []

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return the text with outer white space removed."""
        if not isinstance(label, str):
            return None, [Finding("invalid_label", f"The label must be text, not {type(label).__name__}.")]
        text = unicodedata.normalize("NFC", label).strip()
        if not text:
            return None, [Finding("empty_text", "The text is empty; answer cannot_label where there is nothing.")]
        if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
            return None, [Finding("invalid_text", "The text holds NUL or half of a surrogate pair.")]
        least, most = _lengths(rules.schema)
        if not least <= len(text) <= most:
            return None, [Finding("wrong_length", f"{len(text)} characters; the job wants {least} to {most}.")]
        return text, []


def _lengths(schema: Mapping[str, Any]) -> tuple[Any, Any]:
    return schema.get("min_length", 1), schema.get("max_length", MAX_CHARACTERS)


registry.register("transcription", TranscriptionCheck())
