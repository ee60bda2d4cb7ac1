"""Two sets of books beside each other: what the payment provider moved, and what we booked for it."""

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class State(enum.StrEnum):
    """How a side sees a movement."""

    MOVED = "moved"
    OPEN = "open"
    OVERDUE = "overdue"
    REFUSED = "refused"


class Kind(enum.StrEnum):
    """How two sides differ, in the order in which it is looked for."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    STATE = "state"
    CURRENCY = "currency"
    DUPLICATE = "duplicate"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that came to the provider (positive) or left it, micro-units.

    Attributes
    ----------
    reference
        What it was for, by one name on both sides: the public id of our operation, or the provider's own id.
    amount, fee
        Before the provider's fee, and the fee it kept; the balance changed by ``amount - fee``.
    state
        ``moved`` for everything in the provider's books; on our side also an operation that is still open, that should
        long have ended (overdue), or that ended without moving anything (refused): amount and fee are 0 then.
    """

    reference: str
    amount: int
    fee: int
    currency: str
    state: State = State.MOVED


@dataclass(frozen=True, slots=True)
class Difference:
    """What one reference says on each side, as changes of the provider's balance in one currency, micro-units."""

    kind: Kind
    reference: str
    currency: str
    theirs: int
    ours: int

    @property
    def missing(self) -> int:
        """What our books lack to say the same as theirs."""
        return self.theirs - self.ours


def differences(theirs: Iterable[Movement], ours: Iterable[Movement]) -> list[Difference]:
    """Return where the two sides differ, one row for each reference and currency, sorted by both.

    Parameters
    ----------
    theirs : iterable of Movement
        The provider's books.
    ours : iterable of Movement
        Our ledger, and our operations that booked nothing.

    Returns
    -------
    list of Difference
        Empty when both say the same. A reference in another currency on each side gives a row for each of the two.

    Notes
    -----
    O(n log n) time, O(n) memory, deterministic. An operation of ours that is still open may have moved money there or
    not: that is no difference until it is overdue.

    Examples
    --------
    >>> there = [Movement("mop_1", 5000, 175, "USD"), Movement("mop_2", 100, 0, "USD")]
    >>> here = [Movement("mop_1", 5000, 170, "USD"), Movement("mop_2", 100, 0, "USD")]
    >>> [(found.kind.value, found.reference, found.missing) for found in differences(there, here)]
    [('amount', 'mop_1', -5)]
    """
    sides: dict[str, tuple[list[Movement], list[Movement]]] = defaultdict(lambda: ([], []))
    for side, movements in enumerate((theirs, ours)):
        for movement in movements:
            sides[movement.reference][side].append(movement)
    return [row for reference in sorted(sides) for row in _of_reference(reference, *sides[reference])]


def _of_reference(reference: str, theirs: Sequence[Movement], ours: Sequence[Movement]) -> list[Difference]:
    kind = _kind(theirs, ours)
    if kind is None:
        return []
    currencies = sorted({movement.currency for movement in (*theirs, *ours) if movement.state == State.MOVED})
    rows = [Difference(kind, reference, c, _total(theirs, c), _total(ours, c)) for c in currencies]
    return [row for row in rows if row.missing] or rows[:1]


def _kind(theirs: Sequence[Movement], ours: Sequence[Movement]) -> Kind | None:
    booked = [movement for movement in ours if movement.state == State.MOVED]
    if not booked:
        return _unbooked(theirs, ours)
    if not theirs:
        return Kind.MISSING_THERE
    if any(movement.state == State.REFUSED for movement in ours):
        return Kind.STATE
    if {movement.currency for movement in theirs} != {movement.currency for movement in booked}:
        return Kind.CURRENCY
    if len(theirs) != len(booked):
        return Kind.DUPLICATE
    is_same = sorted((m.amount, m.fee) for m in theirs) == sorted((m.amount, m.fee) for m in booked)
    return None if is_same else Kind.AMOUNT


def _unbooked(theirs: Sequence[Movement], ours: Sequence[Movement]) -> Kind | None:
    """Judge a reference for which we booked nothing."""
    if not theirs or any(movement.state == State.OPEN for movement in ours):
        return None
    return Kind.STATE if ours else Kind.MISSING_HERE


def _total(movements: Iterable[Movement], currency: str) -> int:
    return sum(movement.amount - movement.fee for movement in movements if movement.currency == currency)
