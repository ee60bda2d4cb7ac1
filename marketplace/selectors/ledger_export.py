"""Ledger entries as a file, oldest first, written line by line: an organization's own, or the whole book for staff."""

import json
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import F, QuerySet

from common.actors import PLATFORM, Actor
from common.ids import from_public, to_public
from common.models import LedgerAccount, LedgerEntry
from common.money import exact
from common.tables import csv_row
from marketplace.selectors import money

FORMS: Final = ("jsonl", "csv")
_COLUMNS: Final = ("id", "created_at", "memo", "group", "from", "to", "amount", "amount_micro", "currency")
_ROWS: Final = 2000


def export(actor: Actor, form: str, *, after: str = "") -> Iterator[str]:
    """Return the parts of a file of entries after one (its id in the outside form); all of them without.

    ``amount`` is signed as the organization's money changed, and what moves between two of its accounts has no sign;
    staff sees every entry, unsigned, with the owners of both accounts. Constant memory.

    Raises
    ------
    PermissionDeniedError
        When the actor has no organization, or is staff without the right to see the books.
    ValueError
        When ``after`` is no entry's id.
    """
    rows = _rows(actor)
    if after:
        rows = rows.filter(pk__gt=from_public("ent", after))
    return _csv(rows, actor) if form == "csv" else _jsonl(rows, actor)


def _csv(rows: QuerySet[LedgerEntry], actor: Actor) -> Iterator[str]:
    yield csv_row(_COLUMNS)
    for entry in rows.iterator(chunk_size=_ROWS):
        yield csv_row(_row_of(entry, actor).values())


def _jsonl(rows: QuerySet[LedgerEntry], actor: Actor) -> Iterator[str]:
    for entry in rows.iterator(chunk_size=_ROWS):
        row = _row_of(entry, actor)
        yield json.dumps(row | {"amount": str(row["amount"])}, ensure_ascii=False) + "\n"


def _row_of(entry: LedgerEntry, actor: Actor) -> dict[str, Any]:
    micro = int(entry.signed_micro)  # type: ignore[attr-defined]
    told = (
        entry.public_id,
        entry.created_at.isoformat(),
        entry.memo,
        entry.group,
        _name(entry.debit, actor),
        _name(entry.credit, actor),
        exact(micro),
        micro,
        entry.currency,
    )
    return dict(zip(_COLUMNS, told, strict=True))


def _name(account: LedgerAccount, actor: Actor) -> str:
    """Return an account's kind; for staff, whose it is as well."""
    owner = account.organization_id if actor.organization_kind == PLATFORM else None
    return account.kind if owner is None else f"{account.kind} of {to_public('org', owner)}"


def _rows(actor: Actor) -> QuerySet[LedgerEntry]:
    if actor.organization_kind != PLATFORM:
        return money.entries(actor).order_by("id")
    actor.require("reconciliation:read")
    return LedgerEntry.objects.select_related("debit", "credit").annotate(signed_micro=F("amount")).order_by("id")
