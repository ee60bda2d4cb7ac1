"""What the processes of a race were told, in their own words."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Story:
    """What the processes were told, and how they ended: ``n_deaths`` by a signal, ``n_ended`` too soon.

    ``assignments`` go by the offer that a vendor was told it had.
    """

    told: Counter[str] = field(default_factory=Counter)
    assignments: dict[uuid.UUID, set[uuid.UUID]] = field(default_factory=dict)
    declined: set[uuid.UUID] = field(default_factory=set)
    n_deaths: int = 0
    n_ended: int = 0
    errors: list[str] = field(default_factory=list)

    def read(self, lines: Sequence[str]) -> None:
        """Take in what processes have said."""
        for line in lines:
            word, *rest = line.split(" ")
            self.told[f"{word} {rest[0]}" if word == "refused" else word] += int(rest[0]) if word == "expired" else 1
            if word == "accepted":
                self.assignments.setdefault(uuid.UUID(rest[0]), set()).add(uuid.UUID(rest[1]))
            if word == "declined":
                self.declined.add(uuid.UUID(rest[0]))
            if word == "error":
                self.errors.append(" ".join(rest))
