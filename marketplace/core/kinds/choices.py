"""Kinds that choose or order: classification, multilabel, ranking."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from marketplace.core.aggregation.structured import ranking, weights
from marketplace.core.checks import Finding, Rules
from marketplace.core.kinds.base import Kind, register


@register
class Classification(Kind):
    """One class; equal or not."""

    name = "classification"

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """1 for the same class."""
        return float(first == second)

    def public(self, value: Any, rules: Rules) -> Any:
        """The class's name."""
        return rules.schema["classes"][value]

    def chance(self, rules: Rules) -> float:
        """Errors spread over the other classes."""
        return 1 / max(len(rules.schema["classes"]) - 1, 1)

    def example(self, rules: Rules) -> Any:
        """The first class."""
        return rules.schema["classes"][0]


@register
class Multilabel(Kind):
    """A set of classes; right when equal, unless the schema asks for less."""

    name = "multilabel"

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Classes in common over all named (Jaccard); 1 when both name none."""
        named = set(first) | set(second)
        return len(set(first) & set(second)) / len(named) if named else 1.0

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """Each class that outweighs its absence."""
        share = weights.of_skills(skills, len(values))
        vote = np.zeros(len(rules.schema["classes"]))
        for value, weight in zip(values, share, strict=True):
            vote[list(value)] += weight
        return [int(index) for index in np.flatnonzero(vote > 0.5 + 1e-9)]

    def public(self, value: Any, rules: Rules) -> Any:
        """The names."""
        return [rules.schema["classes"][index] for index in value]

    def chance(self, rules: Rules) -> float:
        """The same class is overlooked again and again."""
        return 0.25

    def example(self, rules: Rules) -> Any:
        """As few classes as the schema allows, at least one."""
        return list(rules.schema["classes"][: max(rules.schema.get("min_count", 1), 1)])


@register
class Ranking(Kind):
    """An order of the record's items, best first."""

    name = "ranking"
    right_from = 0.8

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Share of the pairs that both put in the same order (Kendall)."""
        place = {item: position for position, item in enumerate(second)}
        order = np.array([place[item] for item in first])
        pairs = np.triu(order[:, np.newaxis] < order[np.newaxis], k=1)
        return float(pairs.sum() / max(len(order) * (len(order) - 1) / 2, 1))

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """The order of the items' Bradley-Terry strengths."""
        return ranking.consensus(values, len(values[0]), skills).order

    def public(self, value: Any, rules: Rules) -> Any:
        """The items' names, best first."""
        return [rules.record["items"][position] for position in value]

    def chance(self, rules: Rules) -> float:
        """Two wrong orders of two items are the same one."""
        return max(1 / max(math.factorial(min(len(rules.record.get("items", ())), 6)) - 1, 1), 0.05)

    def record_findings(self, record: Mapping[str, Any]) -> list[Finding]:
        """At least two distinct names of items."""
        items = record.get("items")
        if not isinstance(items, list | tuple) or not 2 <= len(items) <= 100 or not _are_names(items):
            return [Finding("record_without_items", "Name 2 to 100 different items to rank, as texts.", "items")]
        return []

    def example(self, rules: Rules) -> Any:
        """The items as they stand."""
        return list(rules.record.get("items", ("first", "second")))


def _are_names(items: Sequence[Any]) -> bool:
    return all(isinstance(item, str) and item for item in items) and len(set(items)) == len(items)
