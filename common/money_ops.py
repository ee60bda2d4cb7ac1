"""Money through the provider: the intent commits first, the call follows, result and entries share one transaction.

Whoever dies leaves a state from which anybody goes on: before a call the operation is marked as of unknown outcome, and
one of unknown outcome is looked up by our name for it before it is tried again. The provider replays a saved 500 for
the same key, so after one of those (and after a day, when keys are forgotten) a new key is committed first.
"""

import datetime
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import F

from common import ledger, outbox
from common.clock import Now, database_now
from common.ledger import Posting
from common.models import MoneyOp
from common.payment_types import BusyError, Moved, RefusedError, UnknownOutcomeError

logger = logging.getLogger(__name__)
T = TypeVar("T")
State, Outcome = MoneyOp.State, MoneyOp.Outcome
KEY_LIFE: Final = datetime.timedelta(hours=23)
LEASE: Final = datetime.timedelta(seconds=120)
_LOOK_AGAIN: Final = datetime.timedelta(minutes=10)
_SETTLED: Final = "succeeded"
_HELD: Final = "requires_capture"
_UNDER_WAY: Final = frozenset({"processing", "pending"})


@dataclass(frozen=True, slots=True)
class Flow:
    """How one kind of operation is carried out.

    Attributes
    ----------
    call
        Ask the provider to move the money, under the given key.
    find
        Look for what an earlier attempt may have moved, by our name for the operation.
    look
        Fetch what is known to exist, to see whether it has settled.
    booked, undone
        The entries when it has happened, and when it never will.
    """

    call: Callable[[MoneyOp, str], Moved]
    find: Callable[[MoneyOp], Moved | None]
    look: Callable[[MoneyOp], Moved]
    booked: Callable[[MoneyOp, Moved], list[Posting]]
    undone: Callable[[MoneyOp], list[Posting]]


def plan(
    *,
    kind: str,
    organization_id: uuid.UUID,
    amount_minor: int,
    currency: str,
    facts: Mapping[str, Any],
    reserve: Callable[[MoneyOp], Sequence[Posting]] = lambda _: (),
) -> MoneyOp:
    """Write down the intent, with the entries that set its money aside, in the caller's transaction.

    Raises
    ------
    InsufficientFundsError
        When there is nothing to set aside.
    """
    op = MoneyOp.objects.create(
        kind=kind, organization_id=organization_id, amount_minor=amount_minor, currency=currency, facts=dict(facts)
    )
    postings = reserve(op)
    if postings:
        ledger.post(postings)
    return op


def run(*, op_id: uuid.UUID, flows: Mapping[str, Flow]) -> MoneyOp:
    """Take an operation as far as it goes now.

    Safe to run twice and at once: the provider's key and the ledger's keys each count once.
    """
    op = MoneyOp.objects.get(pk=op_id)
    if op.next_attempt_at is None:
        return op
    flow = flows[op.kind]
    try:
        moved = _read(flow.look, op) if op.provider_id else _attempt(op, flow)
    except RefusedError as error:
        _close(op, flow, None, error.code, str(error))
    except BusyError as error:
        # Perhaps busy with this very key, held by another runner that will die: look before the next try as well.
        _put_off(op, Outcome.UNKNOWN, str(error))
    except UnknownOutcomeError as error:
        _put_off(op, Outcome.SAVED_ERROR if error.is_saved else Outcome.UNKNOWN, str(error))
    else:
        _settle(op, flow, moved)
    op.refresh_from_db()
    return op


def _read(look: Callable[[MoneyOp], T], op: MoneyOp) -> T:
    """Ask what is there; a refusal (the API key replaced, the object hidden) is no proof that nothing happened."""
    try:
        return look(op)
    except RefusedError as error:
        raise BusyError(str(error)) from error


def _attempt(op: MoneyOp, flow: Flow) -> Moved:
    if op.outcome != Outcome.NONE:
        found = _read(flow.find, op)
        if found is not None:
            return found
        is_old = op.key_used_at is not None and database_now() - op.key_used_at > KEY_LIFE
        if op.outcome == Outcome.SAVED_ERROR or is_old:
            # Committed before the call: whoever comes after us must know of the new key.
            # The new key's outcome is open from its birth: else a third runner would take it for burnt as well.
            MoneyOp.objects.filter(pk=op.pk, suffix=op.suffix).update(
                suffix=F("suffix") + 1, outcome=Outcome.UNKNOWN, key_used_at=None
            )
            op.refresh_from_db()
    claimed = MoneyOp.objects.filter(pk=op.pk, suffix=op.suffix, next_attempt_at__isnull=False).update(
        outcome=Outcome.UNKNOWN, attempts=F("attempts") + 1
    )
    if not claimed:
        raise BusyError("another runner has gone on with it")
    MoneyOp.objects.filter(pk=op.pk, key_used_at=None).update(key_used_at=Now())
    return flow.call(op, f"{op.pk}-{op.suffix}")


def _settle(op: MoneyOp, flow: Flow, moved: Moved) -> None:
    if (moved.amount, moved.currency) != (op.amount_minor, op.currency):
        # Never booked as asked: the comparison of books finds it, and staff decide.
        logger.error("%s asked for %s %s, got %s", op.public_id, op.amount_minor, op.currency, moved)
        _put_off(op, Outcome.UNKNOWN, f"The provider moved {moved.amount} {moved.currency}.")
    elif moved.status == _SETTLED:
        _close(op, flow, moved)
    elif moved.status == _HELD:
        # Nothing is to be done until somebody says how much to take.
        MoneyOp.objects.filter(pk=op.pk, state__in=[State.PLANNED, State.PROCESSING], provider_id="").update(
            state=State.AUTHORIZED, provider_id=moved.id, outcome=Outcome.NONE, next_attempt_at=None
        )
    elif moved.status in _UNDER_WAY:
        MoneyOp.objects.filter(pk=op.pk, state__in=[State.PLANNED, State.PROCESSING]).update(
            state=State.PROCESSING, provider_id=moved.id, next_attempt_at=database_now() + _LOOK_AGAIN
        )
    else:
        _close(op, flow, None, moved.code or moved.status, f"The payment is {moved.status}.", moved.id)


def _close(
    op: MoneyOp, flow: Flow, moved: Moved | None, code: str = "", error: str = "", provider_id: str = ""
) -> None:
    """End an operation once: its entries and its state commit together."""
    with transaction.atomic(durable=True):
        row = MoneyOp.objects.select_for_update(of=("self",), no_key=True).get(pk=op.pk)
        if row.next_attempt_at is None:
            return
        row.state = State.DONE if moved else State.FAILED
        row.provider_id = moved.id if moved else provider_id
        row.error_code, row.error, row.outcome = code[:100], error[:2000], Outcome.NONE
        row.next_attempt_at, row.done_at = None, database_now()
        row.save()
        postings = flow.booked(row, moved) if moved else flow.undone(row)
        if postings:
            ledger.post(postings)


def _put_off(op: MoneyOp, outcome: str, error: str) -> None:
    wait = datetime.timedelta(seconds=outbox.retry_delay_s(op.attempts + 1))
    logger.warning("money operation %s is tried again in %.0f s: %s", op.public_id, wait.total_seconds(), error)
    # What came of a key says nothing of the one after it, whose call may be under way: its outcome stays.
    MoneyOp.objects.filter(pk=op.pk, suffix=op.suffix, next_attempt_at__isnull=False).update(
        outcome=outcome, error=error[:2000], next_attempt_at=database_now() + wait
    )
