"""Masks: class and a run-length code in COCO's form, of the record's size, not empty."""

from collections.abc import Mapping
from typing import Any

from marketplace.core import rle
from marketplace.core.checks import parts, registry
from marketplace.core.checks.classification import class_list_findings
from marketplace.core.checks.model import Finding, Rules

MAX_PIXELS = 10**8
MAX_RUNS = 200_000


class MaskCheck:
    """Schema ``{"classes": [...], counts?, sizes?}``; ``size`` is [height, width], ``counts`` a list or a text."""

    takes_classes = True
    rules: tuple[str, ...] = ("min_count", "max_count", *parts.SIZES)

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """At least one class, sane counts, positive limits."""
        findings = class_list_findings(schema, least=1)
        return findings or parts.count_findings(schema) + parts.limit_findings(schema, parts.SIZES)

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return ``{"class": index, "size": [height, width], "counts": [...]}`` items, codes in their shortest form."""
        return parts.each(label, rules, _mask)


def _mask(item: Any, rules: Rules, field: str) -> parts.Item:
    index, findings = parts.classed(item, rules, field, "size", "counts")
    if findings:
        return None, findings
    size, findings = _size(item.get("size"), rules, f"{field}.size")
    if findings:
        return None, findings
    counts, findings = _counts(item.get("counts"), size, f"{field}.counts")
    if findings:
        return None, findings
    if rle.area(counts) == 0:
        return None, [Finding("empty_mask", "The mask holds no pixel; leave the object out.", f"{field}.counts")]
    _, _, width, height = rle.box(counts, size[0])
    findings = parts.size_findings(rules, f"{field}.counts", width=width, height=height, area=rle.area(counts))
    return {"class": index, "size": size, "counts": counts}, findings


def _size(size: Any, rules: Rules, field: str) -> tuple[list[int], list[Finding]]:
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(_is_whole(side) and side > 0 for side in size):
        return [], [Finding("invalid_size", "size must be [height, width], two whole numbers above 0.", field)]
    if size[0] * size[1] > MAX_PIXELS:
        return [], [
            Finding("too_large", f"A mask has {MAX_PIXELS} pixels at most, this one {size[0] * size[1]}.", field)
        ]
    wanted = rules.record.get("height"), rules.record.get("width")
    if all(parts.is_number(side) for side in wanted) and tuple(size) != wanted:
        detail = f"The mask is {size[0]} high and {size[1]} wide, the record {wanted[0]:g} and {wanted[1]:g}."
        return [], [Finding("wrong_size", detail, field)]
    return list(size), []


def _counts(counts: Any, size: list[int], field: str) -> tuple[list[int], list[Finding]]:
    if isinstance(counts, str):
        try:
            counts = rle.decoded(counts)
        except ValueError as error:
            return [], [Finding("invalid_rle", f"This is no run-length code: {error}.", field)]
    if not isinstance(counts, list | tuple) or not counts or len(counts) > MAX_RUNS:
        detail = f"counts must be a text or a list of 1 to {MAX_RUNS} runs."
        return [], [Finding("invalid_rle", detail, field)]
    for place, count in enumerate(counts):
        if not _is_whole(count) or count < 0:
            return [], [Finding("invalid_rle", f"Run {place} must be a whole number, at least 0.", field)]
    if sum(counts) != size[0] * size[1]:
        detail = f"The runs cover {sum(counts)} pixels; {size[0]} x {size[1]} are {size[0] * size[1]}."
        return [], [Finding("runs_do_not_fit", detail, field)]
    return rle.tidied(counts), []


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 10**12


registry.register("mask", MaskCheck())
