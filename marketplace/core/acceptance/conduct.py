"""How work was done, beside what it says: too fast, always the same, or taken from somebody else.

Each finding multiplies the odds that the answers carry no information by a documented factor; none decides alone.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from marketplace.core.acceptance.verdict import Reason

FAST_SHARE = 0.5
"""Share of an assignment's answers below the shortest plausible time from which it tells."""
FAST_FACTOR = 9.0
CONSTANT_FACTOR = 30.0
COPY_FACTOR = 300.0
LEAST_EQUAL = 4
"""Equal answers of which none should arise twice before they count as copied."""
EQUAL_SHARE = 0.5
"""Least share of what two annotators both answered that has to be equal."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """What was seen, and the factor on the odds of spam."""

    reason: Reason
    factor: float


@dataclass(frozen=True, slots=True)
class Equal:
    """Two annotators with ``n_equal`` answers of ``n_shared`` the same; ``later`` answered after ``first``."""

    first: int
    later: int
    n_equal: int
    n_shared: int


def with_conduct(spam_probability: float, found: Sequence[Conduct]) -> float:
    """Return the probability of spam after what was seen.

    >>> round(with_conduct(0.1, [Conduct(Reason("too_fast", ""), 9.0)]), 2)
    0.5
    """
    odds = spam_probability / max(1 - spam_probability, 1e-12)
    for conduct in found:
        odds *= conduct.factor
    return odds / (1 + odds)


def too_fast(seconds: Sequence[float | None], shortest_s: float | None) -> Conduct | None:
    """Return a finding when much of the work took less than the shortest plausible time, in seconds.

    >>> too_fast([0.1, 0.2, None, 5.0], 1.0).reason.facts["n_fast"]
    2.0
    """
    if shortest_s is None:
        return None
    timed = [one for one in seconds if one is not None]
    n_fast = sum(one < shortest_s for one in timed)
    if n_fast < 2 or n_fast < FAST_SHARE * len(timed):
        return None
    detail = f"{n_fast} of {len(timed)} answers took less than {shortest_s:.3g} s, the shortest plausible time here."
    return Conduct(Reason("too_fast", detail, {"n_fast": float(n_fast), "shortest_s": shortest_s}), FAST_FACTOR)


def constant(n_answers: int) -> Conduct:
    """Return the finding of someone who says the same of every record (see :func:`is_constant`)."""
    detail = f"All {n_answers} answers are the same, though the records differ."
    return Conduct(Reason("constant_answers", detail, {"n_answers": float(n_answers)}), CONSTANT_FACTOR)


def copied(n_equal: int, n_shared: int) -> Conduct:
    """Return the finding of someone whose answers are another's."""
    detail = f"{n_equal} of {n_shared} answers equal those another annotator gave before, to the last detail."
    return Conduct(Reason("copied_answers", detail, {"n_equal": float(n_equal)}), COPY_FACTOR)


def equal_answers(rows: Sequence[tuple[int, int, Hashable]]) -> list[Equal]:
    """Return the pairs of annotators that gave the same answers too often.

    Parameters
    ----------
    rows
        Record, annotator and answer, in order of arrival; only answers that nobody should arrive at twice.

    Notes
    -----
    O(answers x overlap). Whoever answered later on most of the equal records counts as the one who copied.

    Examples
    --------
    >>> equal_answers([(record, who, f"drawn {record}") for record in range(4) for who in (0, 1)])
    [Equal(first=0, later=1, n_equal=4, n_shared=4)]
    """
    by_record: dict[int, list[tuple[int, Hashable]]] = defaultdict(list)
    for record, annotator, answer in rows:
        by_record[record].append((annotator, answer))
    shared: Counter[tuple[int, int]] = Counter()
    after: Counter[tuple[int, int]] = Counter()
    for given in by_record.values():
        for position, (later, answer) in enumerate(given):
            for first, other in given[:position]:
                shared[min(first, later), max(first, later)] += 1
                after[first, later] += answer == other
    found = []
    for (one, two), n_shared in sorted(shared.items()):
        n_equal = after[one, two] + after[two, one]
        first, later = (one, two) if after[one, two] >= after[two, one] else (two, one)
        if n_equal >= LEAST_EQUAL and n_equal >= EQUAL_SHARE * n_shared:
            found.append(Equal(first, later, n_equal, n_shared))
    return found
