"""Moving money: postings go in together or not at all, each once, and no account falls below its floor.

The ledger holds micro-units (1 USD = 1,000,000), so label prices are booked exactly; only what enters or leaves through
the payment provider is whole cents. Balances are kept by a database trigger on the entries, so a balance is the sum of
its entries by construction, whoever writes them.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import connection
from django.db.transaction import TransactionManagementError

from common import locks, money
from common.errors import ConflictError, DomainError
from common.models import LedgerAccount, LedgerEntry

Kind = LedgerAccount.Kind
_NAMESPACE: Final = uuid.UUID("6c656467-6572-4000-8000-6c6162656c79")
MAX_AMOUNT: Final = 10**17
_WITH_FLOOR: Final = frozenset({Kind.WALLET, Kind.HOLD, Kind.PAYABLE, Kind.IN_TRANSFER, Kind.PLATFORM_FEE})
_OWNED: Final = frozenset({Kind.WALLET, Kind.HOLD, Kind.PAYABLE, Kind.IN_TRANSFER, Kind.CLAWBACK})


class InsufficientFundsError(DomainError):
    """There is not enough money in the account; add funds and try again."""

    code = "insufficient_funds"
    http_status = 402


class LedgerKeyReusedError(ConflictError):
    """This movement of money was booked before with another content; nothing was changed."""

    code = "ledger_key_reused"


@dataclass(frozen=True, slots=True)
class Account:
    """An account by what it is: its kind, whose it is (a job, vendor or organization), and its currency."""

    kind: str
    currency: str
    owner: uuid.UUID | None = None
    organization_id: uuid.UUID | None = field(default=None, compare=False)

    @property
    def id(self) -> uuid.UUID:
        """The account's primary key; it follows from what the account is, so two creators make one account."""
        return uuid.uuid5(_NAMESPACE, f"{self.kind}/{self.owner or ''}/{self.currency}")

    def __post_init__(self) -> None:
        if (self.owner is None) == (self.kind in _OWNED):
            raise ValueError(f"an account of kind {self.kind} {'needs' if self.owner is None else 'has no'} owner")


@dataclass(frozen=True, slots=True)
class Posting:
    """Micro-units to move from ``debit`` to ``credit``; ``key`` says for what, and counts once for ever."""

    key: str
    debit: Account
    credit: Account
    amount: int
    memo: str
    group: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.amount <= MAX_AMOUNT:
            raise ValueError(f"an amount is 1 to {MAX_AMOUNT} micro-units, got {self.amount} for {self.key}")
        if self.debit.currency != self.credit.currency:
            raise ValueError(f"{self.key} would move {self.debit.currency} into {self.credit.currency}")


def post(postings: Sequence[Posting]) -> int:
    """Book postings in the caller's transaction; return how many were new.

    What was booked before under the same key with the same content is left as it is, so a retry books nothing twice.
    Locks all accounts named, by primary key; they come last in the lock order.

    Raises
    ------
    InsufficientFundsError
        When an account would fall below its floor; nothing is booked.
    LedgerKeyReusedError
        When a key was used for something else.
    TransactionManagementError
        When called outside a transaction: money would move without its cause.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("money moves in the transaction that causes it")
    rows = _locked({account for posting in postings for account in (posting.debit, posting.credit)})
    fresh = _fresh(postings, rows)
    _refuse_overdraft(fresh, rows)
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            key=posting.key,
            debit=rows[posting.debit],
            credit=rows[posting.credit],
            amount=posting.amount,
            currency=posting.debit.currency,
            group=posting.group,
            memo=posting.memo,
        )
        for posting in fresh
    )
    return len(fresh)


def balance(account: Account) -> int:
    """Return an account's balance in micro-units, 0 for one that was never used."""
    row = LedgerAccount.objects.filter(pk=account.id).first()
    return row.balance if row else 0


def set_floor(account: Account, floor: int) -> None:
    """Let an account go down to ``floor``, or to where it is already; in the caller's transaction. Locks it."""
    row = _locked([account])[account]
    LedgerAccount.objects.filter(pk=row.pk).update(floor=min(floor, row.balance))


def _locked(accounts: Iterable[Account]) -> dict[Account, LedgerAccount]:
    wanted = {account.id: account for account in accounts}
    known = set(LedgerAccount.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    missing = [wanted[pk] for pk in sorted(set(wanted).difference(known))]
    if missing:
        LedgerAccount.objects.bulk_create((_row(account) for account in missing), ignore_conflicts=True)
    return {wanted[row.pk]: row for row in locks.rows(LedgerAccount.objects.filter(pk__in=wanted))}


def _row(account: Account) -> LedgerAccount:
    return LedgerAccount(
        id=account.id,
        kind=account.kind,
        owner=account.owner,
        currency=account.currency,
        organization_id=account.organization_id,
        floor=0 if account.kind in _WITH_FLOOR else None,
    )


def _fresh(postings: Sequence[Posting], rows: dict[Account, LedgerAccount]) -> list[Posting]:
    """Return the postings that are not booked yet; looked up under the locks, so that a racing retry sees them."""
    if len({posting.key for posting in postings}) < len(postings):
        raise ValueError("each posting needs a key of its own")
    booked = {entry.key: entry for entry in LedgerEntry.objects.filter(key__in=[p.key for p in postings])}
    for posting in postings:
        entry = booked.get(posting.key)
        asked = (rows[posting.debit].pk, rows[posting.credit].pk, posting.amount)
        if entry is not None and (entry.debit_id, entry.credit_id, entry.amount) != asked:
            raise LedgerKeyReusedError(key=posting.key, booked=entry.amount, asked=posting.amount)
    return [posting for posting in postings if posting.key not in booked]


def _refuse_overdraft(postings: Sequence[Posting], rows: dict[Account, LedgerAccount]) -> None:
    change: dict[Account, int] = defaultdict(int)
    for posting in postings:
        change[posting.debit] -= posting.amount
        change[posting.credit] += posting.amount
    for account, amount in change.items():
        row = rows[account]
        if amount < 0 and row.floor is not None and row.balance + amount < row.floor:
            available = row.balance - row.floor
            detail = (
                f"{money.text(-amount, row.currency)} is needed, {money.text(available, row.currency)} is available."
            )
            raise InsufficientFundsError(detail, needed_micro=-amount, available_micro=available, currency=row.currency)


_UNBALANCED: Final = """
SELECT 'balance of ' || a.kind || ' ' || coalesce(a.owner::text, '-') || ' ' || a.currency || ' is ' || a.balance
       || ', its entries sum to ' || coalesce(s.total, 0)
FROM common_ledgeraccount a LEFT JOIN (
    SELECT id, sum(amount) AS total FROM (
        SELECT credit_id AS id, amount FROM common_ledgerentry
        UNION ALL SELECT debit_id, -amount FROM common_ledgerentry) moved
    GROUP BY id) s ON s.id = a.id
WHERE a.balance <> coalesce(s.total, 0)
UNION ALL
SELECT 'all balances in ' || currency || ' sum to ' || sum(balance) || ', not 0'
FROM common_ledgeraccount GROUP BY currency HAVING sum(balance) <> 0
"""


def discrepancies() -> list[str]:
    """Return what is wrong with the books, in words; empty when every balance is the sum of its entries."""
    with connection.cursor() as cursor:
        cursor.execute(_UNBALANCED)
        return [str(row[0]) for row in cursor.fetchall()]
