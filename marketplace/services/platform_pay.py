"""What the platform itself owes vendors: tests taken, and disputed answers labeled anew."""

import datetime
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from common import ledger
from common.clock import Now
from common.ledger import Account, InsufficientFundsError, Kind, Posting
from marketplace.models import Adjudication
from marketplace.services.holds import payable_to
from vendors.models import QualificationAttempt, Vendor

AGAIN: Final = datetime.timedelta(hours=1)
"""When a fee the platform could not pay is tried again."""


def post_due(*, limit: int = 200) -> int:
    """Book fees that are due out of what the platform has earned, each in a transaction of its own; return how many.

    Each is booked once, whoever tries. One the platform cannot pay yet stays due, and does not hold up the others.
    """
    attempts = QualificationAttempt.objects.select_related("capability__vendor")
    adjudications = Adjudication.objects.select_related("vendor")
    return _post_due(attempts, _of_attempt, limit) + _post_due(adjudications, _of_adjudication, limit)


def _of_attempt(attempt: QualificationAttempt) -> Posting:
    key = f"qualification/{attempt.pk}"
    return _posting(key, attempt, attempt.capability.vendor, "Qualification test")


def _of_adjudication(row: Adjudication) -> Posting:
    if row.vendor is None:
        raise LookupError(f"adjudication {row.pk} is due to nobody")
    return _posting(f"adjudication/{row.pk}", row, row.vendor, "Disputed record labeled anew")


def _posting(key: str, row: QualificationAttempt | Adjudication, vendor: Vendor, memo: str) -> Posting:
    payable = payable_to(vendor.pk, vendor.organization_id, row.fee_currency)
    return Posting(key, Account(Kind.PLATFORM_FEE, row.fee_currency), payable, row.fee_micro, memo, row.public_id)


def _post_due(rows: QuerySet[Any], posting_of: Callable[[Any], Posting], limit: int) -> int:
    due = rows.filter(fee_due_at__lte=Now()).order_by("fee_due_at").values_list("pk", flat=True)
    return sum(_post(rows, pk, posting_of) for pk in list(due[:limit]))


def _post(rows: QuerySet[Any], pk: uuid.UUID, posting_of: Callable[[Any], Posting]) -> bool:
    with transaction.atomic(durable=True):
        row = (
            rows.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .filter(pk=pk, fee_due_at__isnull=False)
            .first()
        )
        if row is None:
            return False
        try:
            ledger.post([posting_of(row)])
        except InsufficientFundsError:
            rows.filter(pk=pk).update(fee_due_at=Now() + AGAIN)
            return False
        rows.filter(pk=pk).update(fee_due_at=None)
        return True
