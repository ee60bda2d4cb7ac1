"""Every injected difference is found and named; histories without one raise no alarm."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from marketplace.core.reconciling import Kind, Movement, State, differences

N = 1000


def history(rng):
    """Return both sides of an honest history, shuffled: payments with fees, refunds, payouts, open operations."""
    theirs = []
    for number in range(rng.randint(1, 40)):
        amount = rng.choice([1, -1]) * rng.randint(1, 10**9) * 10_000
        fee = rng.choice([0, rng.randint(1, 1000) * 10_000]) if amount > 0 else 0
        theirs.append(Movement(f"mop_{number}", amount, fee, rng.choice(["USD", "EUR", "JPY"])))
    ours = list(theirs)
    ours += [Movement(f"open_{n}", 0, 0, "USD", rng.choice(list(State)[1:])) for n in range(rng.randint(0, 3))]
    early = Movement("mop_early", 5000, 0, "USD")
    theirs.append(early)
    ours.append(replace(early, amount=0, state=State.OPEN))
    rng.shuffle(theirs)
    rng.shuffle(ours)
    return theirs, ours


def inject(kind, theirs, ours, rng):
    """Spoil one reference; return which."""
    victim = rng.choice([m for m in ours if m.state == State.MOVED])
    here, side = ours.index(victim), rng.choice([theirs, ours])
    place = side.index(victim)
    match kind:
        case Kind.MISSING_HERE:
            del ours[here]
        case Kind.MISSING_THERE:
            theirs.remove(victim)
        case Kind.STATE:
            ours[here] = replace(victim, amount=0, fee=0, state=rng.choice([State.REFUSED, State.OVERDUE]))
        case Kind.CURRENCY:
            side[place] = replace(victim, currency="CHF")
        case Kind.DUPLICATE:
            side.insert(rng.randint(0, len(side)), victim)
        case Kind.AMOUNT:
            changed = rng.choice(["amount", "fee", "both"])
            step = rng.choice([-1, 1]) * rng.choice([1, 10_000])
            side[place] = replace(
                victim,
                amount=victim.amount + step * (changed != "fee"),
                fee=victim.fee + step * (changed != "amount"),
            )
    return victim.reference


def test_every_injected_difference_is_found_by_its_kind():
    rng = random.Random(7)
    wrong, tally = [], Counter()
    for number in range(N):
        kind = list(Kind)[number % len(Kind)]
        theirs, ours = history(rng)
        reference = inject(kind, theirs, ours, rng)
        found = {(row.reference, row.kind) for row in differences(theirs, ours)}
        tally[kind] += found == {(reference, kind)}
        if found != {(reference, kind)}:
            wrong.append((kind, reference, found))
    assert wrong == []
    assert sum(tally.values()) == N


def test_honest_histories_raise_no_alarm():
    rng = random.Random(8)
    assert [found for _ in range(N) if (found := differences(*history(rng)))] == []


def test_several_differences_at_once_are_all_found():
    rng = random.Random(9)
    for _ in range(200):
        theirs, ours = history(rng)
        expected = {inject(Kind.MISSING_HERE, theirs, ours, rng)}
        theirs.append(Movement("ch_stranger", 700, 20, "USD"))
        found = differences(theirs, ours)
        assert {row.reference for row in found} == expected | {"ch_stranger"}
        assert [row.reference for row in found] == sorted(row.reference for row in found)


@pytest.mark.parametrize("state", [State.REFUSED, State.OVERDUE])
def test_what_a_row_says_is_what_our_books_lack(state):
    there = [Movement("mop_1", 5000, 175, "USD")]
    (row,) = differences(there, [Movement("mop_1", 0, 0, "USD", state)])
    assert (row.theirs, row.ours, row.missing) == (4825, 0, 4825)


def test_another_currency_is_a_row_for_each():
    rows = differences([Movement("mop_1", 5000, 0, "USD")], [Movement("mop_1", 5000, 0, "EUR")])
    assert [(row.currency, row.missing, row.kind) for row in rows] == [
        ("EUR", -5000, Kind.CURRENCY),
        ("USD", 5000, Kind.CURRENCY),
    ]
