"""A selection described in one configuration: strategies x inputs x strength, checked strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SCALARS: Final = ("margin", "entropy", "least_confident", "relevance", "utility")
INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "diversity": ("embeddings",),
    "weights": SCALARS,
    "threshold": SCALARS,
    "balance": ("predictions",),
    "similarity": ("anchor",),
    "random": ("random",),
}
"""What each strategy can work on; those in `TAKES_METADATA` also on ``metadata:NAME``."""
TAKES_METADATA: Final = ("weights", "threshold", "balance")
OPERATIONS: Final = (">", ">=", "<", "<=")
_FIELDS: Final = ("strategy", "input", "strength", "target", "operation", "value")
MAX_PARTS = 20
UNKNOWN_FIELD: Final = "there is no such field"


class CompositionError(ValueError):
    """The configuration cannot be meant; `problems` lists (path, what to change)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {detail}" for path, detail in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Part:
    """One wish: what to do with which input, how strongly.

    Attributes
    ----------
    strategy, input
        A pair of `INPUTS`, or ``metadata:NAME`` for those that take metadata.
    strength
        Weight against the other parts, > 0; a threshold has none, it leaves records out.
    target
        Shares wanted per value of a balance, summing to at most 1; empty: the same for all.
    operation, value
        What a threshold keeps.
    """

    strategy: str
    input: str
    strength: float = 1.0
    target: tuple[tuple[str, float], ...] = ()
    operation: str = ">="
    value: float = 0.0

    @property
    def column(self) -> str | None:
        """Name of the metadata it reads, or None."""
        return self.input.removeprefix("metadata:") if self.input.startswith("metadata:") else None


@dataclass(frozen=True, slots=True)
class Composition:
    """Parts that are weighed against each other."""

    parts: tuple[Part, ...]

    @property
    def columns(self) -> list[str]:
        """Metadata the parts read, each once."""
        return sorted({part.column for part in self.parts if part.column is not None})


DEFAULT: Final = Composition((Part("diversity", "embeddings"), Part("weights", "margin")))


def parse(given: Any) -> Composition:
    """Return the composition of a plain structure, as it comes from JSON.

    Raises
    ------
    CompositionError
        Naming every field that is unknown, missing or out of range, with the way out.

    Examples
    --------
    >>> parse({"parts": [{"strategy": "diversity", "input": "embeddings", "strength": 2}]}).parts[0].strength
    2.0
    >>> parse({"parts": [{"strategy": "diversity", "input": "margin"}]})
    Traceback (most recent call last):
        ...
    curation.core.composition.CompositionError: parts[0].input: diversity works on embeddings, not on 'margin'
    """
    parts = given.get("parts") if isinstance(given, Mapping) else None
    if not isinstance(parts, list) or not 1 <= len(parts) <= MAX_PARTS:
        raise CompositionError([("parts", f"give a list of 1 to {MAX_PARTS} parts")])
    problems = [(str(name), f"{UNKNOWN_FIELD}; only parts") for name in given if name != "parts"]
    for at, part in enumerate(parts):
        problems += [(f"parts[{at}]{path}", detail) for path, detail in _problems_of(part)]
    if not problems and all(part["strategy"] == "threshold" for part in parts):
        problems = [("parts", "thresholds only leave records out; add a part that ranks, such as diversity")]
    if problems:
        raise CompositionError(problems)
    return Composition(tuple(_part(part) for part in parts))


def _part(given: Mapping[str, Any]) -> Part:
    return Part(
        given["strategy"],
        given["input"],
        float(given.get("strength", 1.0)),
        tuple((str(name), float(share)) for name, share in given.get("target", {}).items()),
        given.get("operation", ">="),
        float(given.get("value", 0.0)),
    )


def _problems_of(part: Any) -> list[tuple[str, str]]:
    if not isinstance(part, Mapping):
        return [("", "give an object with strategy and input")]
    strategy = part.get("strategy")
    if not isinstance(strategy, str) or strategy not in INPUTS:
        return [(".strategy", f"choose one of {', '.join(INPUTS)}")]
    problems = [
        (f".{name}", f"{UNKNOWN_FIELD}; there are {', '.join(_FIELDS)}") for name in part if name not in _FIELDS
    ]
    problems += _problem_of_input(strategy, part.get("input"))
    if not _is_number(part.get("strength", 1.0)) or not 0 < part.get("strength", 1.0) <= 1e6:
        problems.append((".strength", "give a number above 0, at most 1,000,000"))
    if ("operation" in part or "value" in part) != (strategy == "threshold"):
        problems.append((".operation", "operation and value belong to a threshold, and to nothing else"))
    elif strategy == "threshold":
        if part.get("operation") not in OPERATIONS:
            problems.append((".operation", f"choose one of {', '.join(OPERATIONS)}"))
        if not _is_number(part.get("value")):
            problems.append((".value", "give a number"))
    return problems + _problem_of_target(strategy, part.get("target"))


def _problem_of_input(strategy: str, given: Any) -> list[tuple[str, str]]:
    if isinstance(given, str) and given in INPUTS[strategy]:
        return []
    takes_metadata = strategy in TAKES_METADATA
    if isinstance(given, str) and takes_metadata and given.startswith("metadata:") and given != "metadata:":
        return []
    allowed = [*INPUTS[strategy], *(["metadata:NAME"] if takes_metadata else [])]
    return [(".input", f"{strategy} works on {', '.join(allowed)}, not on {given!r}")]


def _problem_of_target(strategy: str, target: Any) -> list[tuple[str, str]]:
    if target is None:
        return []
    if strategy != "balance":
        return [(".target", "only a balance has a target")]
    if not isinstance(target, Mapping) or not target or not all(_is_number(share) for share in target.values()):
        return [(".target", 'give shares by value, such as {"cat": 0.5, "dog": 0.5}')]
    if min(target.values()) < 0 or not 0 < sum(target.values()) <= 1 + 1e-6:
        return [(".target", f"shares lie in [0, 1] and sum to at most 1, got {sum(target.values()):g}")]
    return []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
