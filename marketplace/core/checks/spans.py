"""Text spans: class and character offsets into the record's text."""

import itertools
from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import parts, registry
from marketplace.core.checks.classification import class_list_findings
from marketplace.core.checks.model import Finding, Rules


class SpanCheck:
    """Schema ``{"classes": [...], counts?, "may_overlap"?: bool}``; offsets count characters, the end is exclusive."""

    takes_classes = True
    rules: tuple[str, ...] = ("min_count", "max_count", "may_overlap")

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least one class and sane counts."""
        findings = class_list_findings(schema, least=1)
        if not findings and not isinstance(schema.get("may_overlap", False), bool):
            return [Finding("invalid_flag", "may_overlap must be true or false.", "may_overlap")]
        return findings or parts.count_findings(schema)

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return ``{"class": index, "start": n, "end": n}`` items in order of start."""
        spans, findings = parts.each(label, rules, _span)
        if findings:
            return None, findings
        spans.sort(key=lambda span: (span["start"], span["end"], span["class"]))
        if not rules.schema.get("may_overlap", False):
            findings = _overlaps(spans)
        return spans, findings


def _span(item: Any, rules: Rules, field: str) -> parts.Item:
    index, findings = parts.classed(item, rules, field, "start", "end", "text")
    if findings:
        return None, findings
    start, end, text = item.get("start"), item.get("end"), rules.record.get("text")
    is_whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (start, end))
    if not is_whole or not 0 <= start < end:
        return None, [Finding("invalid_offsets", "start and end must be whole numbers, 0 <= start < end.", field)]
    length = len(text) if isinstance(text, str) else rules.record.get("length")
    if parts.is_number(length) and end > length:
        return None, [Finding("outside_record", f"end {end} is past the text of {length:g} characters.", field)]
    quoted = item.get("text")
    if isinstance(text, str) and quoted is not None and quoted != text[start:end]:
        return None, [Finding("text_mismatch", f"The text at {start}..{end} is {text[start:end][:40]!r}.", field)]
    return {"class": index, "start": start, "end": end}, []


def _overlaps(spans: list[dict[str, int]]) -> list[Finding]:
    for before, after in itertools.pairwise(spans):
        if after["start"] < before["end"]:
            detail = f"{before['start']}..{before['end']} and {after['start']}..{after['end']} overlap."
            return [Finding("overlapping_spans", detail)]
    return []


registry.register("spans", SpanCheck())
