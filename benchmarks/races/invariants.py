"""The market's invariants as plain SQL over its tables: what is broken, in words.

Nothing of the services is used here, so that a mistake in them cannot hide itself. The numbers are those of the design:
1 one winner, 2 one end per offer, 3 deadlines, 4 capacity, 5 and 6 somebody waits, 7 and 8 order, 10 state is the fold
of the events, 12 side effects, 13 money. 9 and 11 (replays, kills) are these checked again after a replay or a kill.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from benchmarks.races import rules_money, rules_offers, rules_states


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold: its number, what is wrong, and the row it is wrong of."""

    number: int
    words: str
    subject: str

    def __str__(self) -> str:
        return f"invariant {self.number}: {self.words} ({self.subject})"


ALL: Final = (*rules_offers.RULES, *rules_states.RULES, *rules_money.RULES)

STRICT: Final = rules_offers.STRICT
"""Holds only where no vendor is ever full, closed or paused: one that was passed over may be asked later."""


def violations(*, is_strict: bool = False) -> list[Violation]:
    """Return every violated invariant, in one snapshot of the database; ``is_strict`` where nobody is ever busy."""
    rules: Sequence[tuple[int, str, str]] = (*ALL, *STRICT) if is_strict else ALL
    parts = [f"SELECT {i}, found::text FROM ({sql}) AS broken(found)" for i, (_, _, sql) in enumerate(rules)]  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        rows = cursor.fetchall()
    return [Violation(rules[place][0], rules[place][1], subject) for place, subject in rows]
