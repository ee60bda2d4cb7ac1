"""Both sides' books held against each other, in SQL and plain arithmetic: nothing of the services is used here."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from common.ids import to_public

MICRO_PER_CENT: Final = 10_000
_OBJECT_OF: Final = {"top_up": "charge", "refund": "refund", "payout": "transfer"}

_SUMS: Final = """
SELECT a.kind || ' ' || coalesce(a.owner::text, '-'), a.balance, coalesce(sum(m.amount), 0)
FROM common_ledgeraccount a LEFT JOIN (
    SELECT credit_id AS id, amount FROM common_ledgerentry UNION ALL SELECT debit_id, -amount FROM common_ledgerentry
) m ON m.id = a.id GROUP BY a.id HAVING a.balance <> coalesce(sum(m.amount), 0)
"""
_PROVIDER: Final = """
SELECT coalesce(sum(CASE WHEN d.kind = 'provider' THEN e.amount ELSE -e.amount END), 0)
FROM common_ledgerentry e JOIN common_ledgeraccount d ON d.id = e.debit_id
JOIN common_ledgeraccount c ON c.id = e.credit_id WHERE 'provider' IN (d.kind, c.kind)
"""
_OPS: Final = "SELECT id, kind, state, amount_minor FROM common_moneyop WHERE id > %s"
_ENTRIES: Final = """
SELECT key, amount FROM common_ledgerentry WHERE key ~ '^(top_up|refund|payout)/' AND created_at >= %s
"""
_ON_ITS_WAY: Final = """
SELECT a.id, sum(CASE WHEN e.credit_id = a.id THEN e.amount ELSE -e.amount END) AS left_over
FROM common_ledgeraccount a JOIN common_ledgerentry e ON a.id IN (e.credit_id, e.debit_id)
WHERE a.kind = 'in_transfer' AND e.created_at >= %s GROUP BY a.id
HAVING sum(CASE WHEN e.credit_id = a.id THEN e.amount ELSE -e.amount END) <> 0
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the books stood when a world began."""

    provider_micro: int
    op_id: Any
    at: Any


def mark() -> Mark:
    """Return where the books stand."""
    newest = _rows("SELECT coalesce(max(id::text), '00000000-0000-0000-0000-000000000000')::uuid FROM common_moneyop")
    return Mark(int(_rows(_PROVIDER)[0][0]), newest[0][0], _rows("SELECT statement_timestamp()")[0][0])


def findings(books: dict[str, Any], since: Mark) -> list[str]:
    """Return what is lost, doubled or stuck; empty when both sides say the same."""
    theirs = sum(row["amount"] for row in books["balances"] if (row["account"], row["currency"]) == ("", "usd"))
    ours = int(_rows(_PROVIDER)[0][0]) - since.provider_micro
    found = [f"{name} says {balance}, its entries {total}" for name, balance, total in _rows(_SUMS)]
    if ours != theirs * MICRO_PER_CENT:
        found.append(f"the provider has {theirs} cents of ours, our books say {ours / MICRO_PER_CENT}")
    found += [f"{balance} stuck on its way in {account}" for account, balance in _rows(_ON_ITS_WAY, since.at)]
    return found + _operations(books["things"], since)


def _operations(things: list[dict[str, Any]], since: Mark) -> list[str]:
    """Each operation that is done has one object there of its amount, each that failed has none; none is open."""
    made: dict[tuple[str, str], list[int]] = defaultdict(list)
    for thing in things:
        name = (thing.get("metadata") or {}).get("labelyard_op")
        if name and thing["object"] in _OBJECT_OF.values():
            made[thing["object"], name].append(thing["amount"])
    booked = Counter(dict(_rows(_ENTRIES, since.at)))
    found, known = [], set()
    for pk, kind, state, amount in _rows(_OPS, since.op_id):
        name = to_public("mop", pk)
        known.add(name)
        there = made[_OBJECT_OF[kind], name]
        here = booked[f"{kind}/{pk}/{'arrived' if kind == 'top_up' else 'sent'}"]
        if state not in {"done", "failed"}:
            found.append(f"{kind} {name} is stuck: {state}")
        if there != ([amount] if state == "done" else []):
            found.append(f"{kind} {name} of {amount} is {state}, there it happened as {there}")
        if here != (amount * MICRO_PER_CENT if state == "done" else 0):
            found.append(f"{kind} {name} of {amount} is {state}, booked {here} micro")
    return found + [f"nobody here knows {name}" for _, name in made if name not in known]


def _rows(sql: str, *given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(given))
        return list(cursor.fetchall())
