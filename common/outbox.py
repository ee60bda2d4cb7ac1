"""Side effects: written with the change that causes them, delivered at least once, carried out once per consumer.

A claim is a lease (``next_attempt_at`` moved forward) that commits before any consumer runs, so that no network call
ever happens inside the claiming transaction and a killed relay only delays its messages.
"""

import datetime
import json
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from celery import current_app
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from kombu.exceptions import OperationalError

from common.clock import Now
from common.models import OutboxMessage, OutboxReceipt

logger = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 10
LEASE_S: Final = 300.0
_CLAIM_SIZE: Final = 10
_FIRST_RETRY_S: Final = 2.0
_LONGEST_RETRY_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as its consumer gets it; ``id`` stays the same over all attempts: pass it on as idempotency key."""

    id: uuid.UUID
    topic: str
    payload: dict[str, Any]
    attempt: int


Consumer = Callable[[Delivery], None]


@dataclass(frozen=True, slots=True)
class _Registered:
    name: str
    run: Consumer
    is_local: bool


_consumers: dict[str, list[_Registered]] = defaultdict(list)


def consumer(topic: str, *, local: bool = False) -> Callable[[Consumer], Consumer]:
    """Register a function for a topic; put it into ``<app>/consumers.py``, which is imported at start.

    Parameters
    ----------
    local
        True when the consumer only writes to our database: it then runs in one transaction with its receipt, exactly
        once. Otherwise it runs outside of any transaction and may run again when the process dies before the receipt.
    """

    def register(run: Consumer) -> Consumer:
        name = f"{run.__module__}.{run.__qualname__}"[-80:]
        _consumers[topic] = [known for known in _consumers[topic] if known.name != name]
        _consumers[topic].append(_Registered(name, run, local))
        return run

    return register


def put(topic: str, payload: dict[str, Any]) -> OutboxMessage:
    """Write a side effect into the caller's transaction, and hint at it once that has committed.

    Raises
    ------
    TransactionManagementError
        When called outside a transaction: the effect could then happen without its cause.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError(f"{topic} must be put in the transaction that causes it")
    message = OutboxMessage.objects.create(topic=topic, payload=payload)
    transaction.on_commit(nudge)
    return message


def nudge() -> None:
    """Ask a worker to deliver now. Never needed: the sweep finds the message anyway."""
    try:
        current_app.send_task("common.tasks.relay_outbox", retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("the outbox nudge was not sent: %s", type(error).__name__)


def relay(*, limit: int = 100) -> int:
    """Deliver what is due, up to a limit; return how many messages were tried. Any number may run at once."""
    tried = 0
    while tried < limit:
        claimed = _claim(min(_CLAIM_SIZE, limit - tried))
        for delivery in claimed:
            _deliver(delivery)
        tried += len(claimed)
        if len(claimed) < _CLAIM_SIZE:
            break
    return tried


_CLAIM: Final = """
WITH due AS (
    SELECT id FROM common_outboxmessage
    WHERE delivered_at IS NULL AND failed_at IS NULL AND next_attempt_at <= statement_timestamp()
    ORDER BY next_attempt_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE common_outboxmessage m SET
    attempts = m.attempts + (m.attempts < %(most)s)::int,
    failed_at = CASE WHEN m.attempts >= %(most)s THEN statement_timestamp() END,
    next_attempt_at = statement_timestamp() + %(lease)s * interval '1 second'
FROM due WHERE m.id = due.id
RETURNING m.id, m.topic, m.payload::text, m.attempts, m.failed_at IS NULL
"""


def _claim(limit: int) -> list[Delivery]:
    """Lease due messages; one whose last attempt killed its relay is given up here."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"limit": limit, "most": MAX_ATTEMPTS, "lease": LEASE_S})
        rows = cursor.fetchall()
    return [Delivery(row[0], row[1], json.loads(row[2]), row[3]) for row in rows if row[4]]


def _deliver(delivery: Delivery) -> None:
    try:
        _run_consumers(delivery)
    except Exception as error:
        # Whatever a consumer raises is an attempt that failed; it is kept with the message and tried again.
        logger.exception("outbox %s %s failed at attempt %d", delivery.topic, delivery.id, delivery.attempt)
        _put_off(delivery, error)
        return
    OutboxMessage.objects.filter(pk=delivery.id, delivered_at=None).update(delivered_at=Now(), last_error="")


def _run_consumers(delivery: Delivery) -> None:
    registered = _consumers.get(delivery.topic)
    if not registered:
        raise LookupError(f"no consumer is registered for {delivery.topic}")
    done = set(OutboxReceipt.objects.filter(message_id=delivery.id).values_list("consumer", flat=True))
    for known in registered:
        if known.name in done:
            continue
        if known.is_local:
            _run_local(known, delivery)
        else:
            known.run(delivery)
            _sign(known, delivery)


def _run_local(known: _Registered, delivery: Delivery) -> None:
    with transaction.atomic(durable=True):
        # The receipt comes first: a second relay waits for it here, and then finds it signed.
        if _sign(known, delivery):
            known.run(delivery)


def _sign(known: _Registered, delivery: Delivery) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO common_outboxreceipt (id, created_at, message_id, consumer) "
            "VALUES (uuidv7(), now(), %s, %s) ON CONFLICT DO NOTHING",
            [delivery.id, known.name],
        )
        return bool(cursor.rowcount == 1)


def _put_off(delivery: Delivery, error: Exception) -> None:
    """Try again later, or never; a relay whose lease has run out meanwhile no longer decides."""
    mine = OutboxMessage.objects.filter(pk=delivery.id, attempts=delivery.attempt, delivered_at=None)
    words = f"{type(error).__name__}: {error}"[:2000].replace("\0", "")
    if delivery.attempt >= MAX_ATTEMPTS:
        mine.update(failed_at=Now(), last_error=words)
    else:
        wait = datetime.timedelta(seconds=retry_delay_s(delivery.attempt))
        mine.update(next_attempt_at=Now() + wait, last_error=words)


def retry_delay_s(attempt: int) -> float:
    """Return the seconds until the next attempt: doubling from 2 s to 1 h, give or take a quarter.

    >>> 1.5 <= retry_delay_s(1) <= 2.5 and retry_delay_s(40) <= 4500
    True
    """
    delay = min(_FIRST_RETRY_S * 2.0 ** min(attempt - 1, 30), _LONGEST_RETRY_S)
    return delay * random.uniform(0.75, 1.25)  # noqa: S311 (spreads retries, keeps no secret)
