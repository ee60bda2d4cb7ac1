"""The one lock order, and the helpers that keep to it.

Within a transaction, locks are taken downwards in ``ORDER`` and, within one table, by primary key. Whoever needs a
lock above one it already holds ends its transaction first. Rows that a transaction has just inserted are its own and
may be locked at any time. A conditional ``UPDATE ... WHERE state = ...`` locks like ``rows`` does.

Rows are locked ``FOR NO KEY UPDATE`` (``no_key=True``), never ``FOR UPDATE``: a foreign key is checked when its
transaction commits, and wants a share of the row it points at after all other locks. No key ever changes here, so that
share may be given beside the lock; ``FOR UPDATE`` would withhold it, and two transactions could wait for each other.

Statements that touch sets of rows skip the locked ones (``SKIP LOCKED``): they never wait, so they cannot deadlock.
"""

from typing import Final, TypeVar

from django.db import connection, models

ORDER: Final = (
    "common.Organization",
    "vendors.Vendor",
    "marketplace.Offer",
    "marketplace.Assignment",
    "marketplace.Batch",
    "marketplace.Lot",
    "marketplace.Job",
    "marketplace.Campaign",
    "curation.Dataset",
    "curation.Experiment",
    "vendors.CapacityWindow",
    "common.MoneyOp",
    "common.ReconciliationDifference",
    "marketplace.StatementNumber",
    "common.LedgerAccount",
    "common.OutboxMessage",
)
"""Tables whose rows are locked, first to last."""

ModelT = TypeVar("ModelT", bound=models.Model)


def rows(queryset: models.QuerySet[ModelT], *, skip_locked: bool = False) -> list[ModelT]:
    """Lock the rows of a queryset by primary key until the transaction ends, and return them.

    The queryset is evaluated here: a lock that waits in a lazy queryset locks nothing.

    Raises
    ------
    LookupError
        When the table has no place in the lock order.
    """
    label = queryset.model._meta.label
    if label not in ORDER:
        raise LookupError(f"{label} has no place in the lock order; add it to common.locks.ORDER")
    return list(queryset.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked).order_by("pk"))


def row(queryset: models.QuerySet[ModelT]) -> ModelT | None:
    """Lock the one row of a queryset and return it, or None when there is none.

    Raises
    ------
    LookupError
        When the queryset has more than one row: the caller meant one and would have locked many.
    """
    found = rows(queryset)
    if len(found) > 1:
        raise LookupError(f"one {queryset.model._meta.label} was to be locked, the query found {len(found)}")
    return found[0] if found else None


def advisory(name: str) -> None:
    """Wait for the named lock and hold it until the transaction ends; advisory locks come before all row locks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def try_advisory(name: str) -> bool:
    """Take the named lock until the transaction ends if it is free; return whether it was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        return bool(cursor.fetchone()[0])


def try_session(name: str) -> bool:
    """Take the named lock for as long as this connection lives, or until `release_session`; return whether it was free.

    Unlike a row in a table it cannot outlive its holder: the database frees it when the process dies.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 1))", [name])
        return bool(cursor.fetchone()[0])


def release_session(name: str) -> None:
    """Give a lock of `try_session` back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 1))", [name])
