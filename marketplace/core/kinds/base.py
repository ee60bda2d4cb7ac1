"""The contract of a kind of label, and the kinds by name."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from marketplace.core.aggregation.structured import weights
from marketplace.core.checks import Annotation, Finding, Rules, check

CLASSIFICATION: Final = "classification"
"""The one task type whose labels are stored as class indices."""


class Kind:
    """A task type; values are the canonical ones of its check.

    Attributes
    ----------
    name
        Task type.
    right_from
        Similarity from which two values say the same, in (0, 1]: an answer this similar to gold, or to what the crowd
        says, is right and paid. A schema may set its own as ``min_similarity``.
    """

    name: ClassVar[str]
    right_from: ClassVar[float] = 1.0

    def similarity(self, first: Any, second: Any, rules: Rules) -> float:
        """Return how alike two values are: 1 the same, 0 nothing in common; symmetric."""
        raise NotImplementedError

    def consensus(self, values: Sequence[Any], skills: Sequence[float], rules: Rules) -> Any:
        """Return what at least one answer says together, by skill.

        The default is the medoid: the answer that is most like all others; the first of equals.
        """
        share = weights.of_skills(skills, len(values))
        alike = np.eye(len(values))
        for one in range(len(values)):
            for two in range(one):
                alike[one, two] = alike[two, one] = self.similarity(values[one], values[two], rules)
        return values[int(np.argmax(np.round(alike @ share, 9)))]

    def public(self, value: Any, rules: Rules) -> Any:
        """Return the outside form, the one that the check reads: classes by name."""
        return value

    def chance(self, rules: Rules) -> float:
        """Return the probability that two wrong answers say the same: small where there are many ways to be wrong."""
        return 0.2

    def is_telling(self, value: Any, rules: Rules) -> bool:
        """Return whether nobody arrives at exactly this value twice: equal ones were copied."""
        return False

    def is_telling_error(self, value: Any) -> bool:
        """Return whether nobody makes exactly this mistake twice: of wrong answers, equal ones were copied."""
        return False

    def record_findings(self, record: Mapping[str, Any]) -> list[Finding]:
        """Return what an annotator would miss in a record's metadata."""
        return []

    def example(self, rules: Rules) -> Any:
        """Return a label in its outside form, to show how one is written."""
        raise NotImplementedError

    def is_right(self, first: Any, second: Any, rules: Rules) -> bool:
        """Return whether two values say the same; None stands for "cannot be labeled"."""
        if first is None or second is None:
            return first is second
        return self.similarity(first, second, rules) >= rules.schema.get("min_similarity", self.right_from) - 1e-9


_kinds: dict[str, Kind] = {}


def register(kind: type[Kind]) -> type[Kind]:
    """Register a kind by its name (a decorator); ValueError when the name is taken."""
    if kind.name in _kinds:
        raise ValueError(f"kind {kind.name!r} is registered already")
    _kinds[kind.name] = kind()
    return kind


def get(name: str) -> Kind:
    """Return the kind of that name; ValueError lists the names there are."""
    if name not in _kinds:
        raise ValueError(f"unknown task type {name!r}; there are {', '.join(names())}")
    return _kinds[name]


def names() -> tuple[str, ...]:
    """Return all registered names in order."""
    return tuple(sorted(_kinds))


def canonical(label: Any, rules: Rules) -> tuple[Any, list[Finding]]:
    """Return a label in its canonical form, and what is wrong with it."""
    outcome = check(Annotation("", label), rules)
    return outcome.value, list(outcome.findings)
