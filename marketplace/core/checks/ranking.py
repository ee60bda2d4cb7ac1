"""Ranking: the record's items, best first; two items make a pairwise comparison."""

from collections.abc import Mapping
from typing import Any

from marketplace.core.checks import registry
from marketplace.core.checks.model import Finding, Rules


class RankingCheck:
    """Schema ``{}``; the record names its ``items``, a label lists each of them once."""

    takes_classes = False
    rules: tuple[str, ...] = ()

    def schema_findings(self, schema: Mapping[str, Any]) -> list[Finding]:
        """Any object."""
        return [] if isinstance(schema, Mapping) else [Finding("invalid_schema", "The schema must be an object.")]

    def label(self, label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
        """Return the positions of the items in the record's own list, best first."""
        items = rules.record.get("items")
        if not isinstance(items, list | tuple) or len(items) < 2:
            return None, [Finding("record_without_items", "The record names no items to rank.", "record")]
        if not isinstance(label, list | tuple) or not all(isinstance(name, str) for name in label):
            return None, [Finding("invalid_label", "The label must be a list of item names.")]
        missing, unknown = set(items) - set(label), set(label) - set(items)
        if missing or unknown or len(label) != len(items):
            detail = f"{len(missing)} items missing, {len(unknown)} unknown, {len(label)} given of {len(items)}."
            return None, [Finding("not_a_permutation", detail)]
        return [list(items).index(name) for name in label], []


registry.register("ranking", RankingCheck())
