"""Our books are compared with the provider's: each difference is kept, told, and stands in suspense until it is gone.

With the differences in suspense our account of the provider's balance says what the provider says. A difference that
explains itself later (an operation that was booked late) is taken out of suspense by the comparison that finds it gone.
"""

import datetime
import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from django.db import transaction
from django.db.models import Min, Q, QuerySet

from common import ids, ledger, locks, money, payments
from common.clock import database_now
from common.ledger import Account, Kind, Posting
from common.models import LedgerEntry, MoneyOp, ReconciliationDifference, ReconciliationRun
from common.payment_types import BalanceChange
from marketplace.core import reconciling
from marketplace.core.reconciling import Difference, Movement, State
from marketplace.services.wallets import provider

logger = logging.getLogger(__name__)
WINDOW: Final = datetime.timedelta(days=3)
MARGIN: Final = datetime.timedelta(days=1)
PATIENCE: Final = datetime.timedelta(hours=1)
"""How long an operation may take to learn that its money has moved."""


def reconcile(*, since: datetime.datetime | None = None) -> ReconciliationRun:
    """Compare both books from a time on (by default three days ago), keep what differs, and settle what no longer does.

    Our entries are read before the provider's books, and the operations behind those after them: money that moves
    meanwhile is no difference. Safe to run twice and at once: a difference has one row, and each change of what it has
    in suspense is keyed by that row.

    Raises
    ------
    BusyError, UnknownOutcomeError, RefusedError
        When the provider cannot be asked; nothing is changed then.
    """
    now = database_now()
    judged_from = since or now - WINDOW
    still_open = dict(_open().values_list("reference", "created_at"))
    oldest = min([judged_from, *(at - WINDOW for at in still_open.values())])
    mine = list(_entries().filter(Q(created_at__gte=judged_from) | Q(group__in=still_open)))
    theirs = payments.balance_changes(since=int((_first_cause(mine, oldest) - MARGIN).timestamp()))
    judged = {entry.group or entry.key for entry in mine} | still_open.keys()
    judged |= {change.reference for change in theirs if change.created >= judged_from.timestamp()}
    operations = _operations(theirs, now)
    mine += _entries().filter(group__in={c.reference for c in theirs}).exclude(pk__in=[entry.pk for entry in mine])
    ours = [row for row in [*_booked(mine), *operations] if row.reference in judged]
    seen = [row for row in map(_movement, theirs) if row.reference in judged]
    found = reconciling.differences(seen, ours)
    n_new = sum(_keep(difference) for difference in found)
    _resolve(_open().filter(reference__in=judged), found)
    return ReconciliationRun.objects.create(
        judged_from=judged_from,
        n_theirs=len(seen),
        n_ours=len(ours),
        n_differences=len(found),
        n_new=n_new,
        book_problems=_book_problems(),
    )


def _open() -> QuerySet[ReconciliationDifference]:
    return ReconciliationDifference.objects.filter(resolved_at__isnull=True)


def _entries() -> QuerySet[LedgerEntry]:
    """Return what was booked against the provider's balance, without what only stands in suspense."""
    touched = Q(debit__kind=Kind.PROVIDER) | Q(credit__kind=Kind.PROVIDER)
    in_suspense = Q(debit__kind=Kind.SUSPENSE) | Q(credit__kind=Kind.SUSPENSE)
    return LedgerEntry.objects.filter(touched).exclude(in_suspense).select_related("debit", "credit")


def _first_cause(entries: Iterable[LedgerEntry], default: datetime.datetime) -> datetime.datetime:
    """Return when the oldest operation behind some entries was planned: the provider moved its money after that."""
    planned = MoneyOp.objects.filter(pk__in=_op_ids(entry.group for entry in entries))
    oldest = planned.aggregate(at=Min("created_at"))["at"]
    return min(default, oldest) if oldest else default


def _op_ids(references: Iterable[str]) -> list[uuid.UUID]:
    """Return the ids of our operations among references; what only looks like one names none of ours."""
    found = []
    for text in set(references):
        with suppress(ValueError):
            found.append(ids.from_public(MoneyOp.public_prefix, text))
    return found


def _movement(change: BalanceChange) -> Movement:
    amount, fee = (money.to_micro(minor, change.currency) for minor in (change.amount, change.fee))
    return Movement(change.reference, amount, fee, change.currency)


def _booked(entries: Iterable[LedgerEntry]) -> list[Movement]:
    """Return entries as movements, each fee with the first amount of its group."""
    fees: dict[tuple[str, str], int] = defaultdict(int)
    rows: list[Movement] = []
    for entry in sorted(entries, key=lambda entry: entry.pk):
        is_in, reference = entry.debit.kind == Kind.PROVIDER, entry.group or entry.key
        other = entry.credit if is_in else entry.debit
        if other.kind == Kind.PROVIDER_FEES:
            fees[reference, entry.currency] += -entry.amount if is_in else entry.amount
        else:
            rows.append(Movement(reference, entry.amount if is_in else -entry.amount, 0, entry.currency))
    with_fees = [
        Movement(r.reference, r.amount, fees.pop((r.reference, r.currency), 0), r.currency, r.state) for r in rows
    ]
    alone = [Movement(reference, 0, fee, currency) for (reference, currency), fee in fees.items()]
    return with_fees + alone


def _operations(theirs: Sequence[BalanceChange], now: datetime.datetime) -> list[Movement]:
    """Return how our operations behind the provider's lines stand, where that is not "done"."""
    newest = {change.reference: change.created for change in theirs}
    rows = []
    for op in MoneyOp.objects.filter(pk__in=_op_ids(newest)).exclude(state=MoneyOp.State.DONE):
        state = State.REFUSED
        if op.next_attempt_at is not None:
            is_late = newest[op.public_id] < (now - PATIENCE).timestamp()
            state = State.OVERDUE if is_late else State.OPEN
        rows.append(Movement(op.public_id, 0, 0, op.currency, state))
    return rows


def _keep(found: Difference) -> bool:
    """Keep a difference and bring what it has in suspense up to date; return whether it is new."""
    with transaction.atomic(durable=True):
        facts = {"kind": found.kind.value, "theirs_micro": found.theirs, "ours_micro": found.ours}
        blank = {"kind": found.kind.value, "theirs_micro": 0, "ours_micro": 0, "seen_at": database_now()}
        key = {"reference": found.reference, "currency": found.currency}
        row, is_new = ReconciliationDifference.objects.get_or_create(**key, defaults=blank)
        (row,) = locks.rows(ReconciliationDifference.objects.filter(pk=row.pk))
        is_new = is_new or row.resolved_at is not None
        _stand_in_suspense(row, found.missing)
        for name, value in facts.items():
            setattr(row, name, value)
        row.seen_at, row.resolved_at = database_now(), None
        row.save()
    if is_new:
        amounts = [money.text(amount, found.currency) for amount in (found.theirs, found.ours)]
        logger.error("books differ (%s) on %s: theirs %s, ours %s", found.kind.value, found.reference, *amounts)
    return is_new


def _resolve(rows: QuerySet[ReconciliationDifference], found: Iterable[Difference]) -> None:
    """Take out of suspense what both sides agree on by now."""
    differing = {(difference.reference, difference.currency) for difference in found}
    for pk in [row.pk for row in rows if (row.reference, row.currency) not in differing]:
        with transaction.atomic(durable=True):
            row = locks.row(_open().filter(pk=pk))
            if row is not None:
                _stand_in_suspense(row, 0)
                row.theirs_micro = row.ours_micro
                row.resolved_at = database_now()
                row.save()


def _stand_in_suspense(row: ReconciliationDifference, amount: int) -> None:
    change = amount - row.suspense_micro
    if not change:
        return
    at_provider, suspense = provider(row.currency), Account(Kind.SUSPENSE, row.currency)
    debit, credit = (at_provider, suspense) if change > 0 else (suspense, at_provider)
    row.n_moves += 1
    key = f"suspense/{row.pk}/{row.n_moves}"
    ledger.post([Posting(key, debit, credit, abs(change), "Difference to the provider's books", row.reference)])
    row.suspense_micro = amount


def _book_problems() -> list[str]:
    problems = ledger.discrepancies()
    for problem in problems:
        logger.error("the ledger does not add up: %s", problem)
    return problems
