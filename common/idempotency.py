"""HTTP writes that may be sent twice: the first one runs, the others get its answer.

Only successes are kept. A request that failed has changed nothing (services are atomic), so its key is free again.
Who runs a request holds a lock that the database frees when the process dies, so that the client's next try runs at
once; the lease is for hosts that vanish without a word. A process killed between its commit and `finish` leaves an
effect without an answer: the next try runs again, which every service but the plain creates is safe for.
"""

import datetime
import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from common import locks
from common.clock import Now
from common.errors import IdempotencyInProgressError, IdempotencyMismatchError
from common.models import IdempotencyRecord

LEASE_S: Final = 600
KEPT: Final = datetime.timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer of the request that ran."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to run a request, until ``lease_until``; whoever holds an older one can no longer store an answer."""

    record_id: uuid.UUID
    lease_until: datetime.datetime
    lock: str


def fingerprint(*, method: str, path: str, body: object) -> str:
    """Return the SHA-256 of a request; the order of the body's fields does not matter.

    >>> fingerprint(method="POST", path="/a", body={"x": 1, "y": 2}) == fingerprint(
    ...     method="POST", path="/a", body={"y": 2, "x": 1})
    True
    """
    canonical = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


_TAKE: Final = """
INSERT INTO common_idempotencyrecord AS r (id, created_at, organization_id, key, route, fingerprint, lease_until)
VALUES (uuidv7(), now(), %(organization)s, %(key)s, %(route)s, %(fingerprint)s,
        clock_timestamp() + %(lease)s * interval '1 second')
ON CONFLICT (organization_id, route, key) DO UPDATE SET lease_until = EXCLUDED.lease_until
WHERE r.response_status IS NULL AND r.fingerprint = EXCLUDED.fingerprint
RETURNING id, lease_until
"""


def begin(*, organization_id: uuid.UUID, key: str, route: str, fingerprint: str) -> Ticket | Stored:
    """Return a ticket to run the request, or the answer of the one that ran.

    Of any number of equal requests at once exactly one gets the lock, and with it a ticket.

    Raises
    ------
    IdempotencyMismatchError
        When the key came with another request before.
    IdempotencyInProgressError
        When that request is still running.
    """
    lock = f"idempotency:{organization_id}/{route}/{key}"
    known = IdempotencyRecord.objects.filter(organization_id=organization_id, route=route, key=key)
    is_free = locks.try_session(lock)
    if is_free or known.filter(lease_until__lte=Now()).exists():
        asked: dict[str, Any] = {
            "organization": organization_id,
            "key": key,
            "route": route,
            "fingerprint": fingerprint,
        }
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, asked | {"lease": LEASE_S})
            taken = cursor.fetchone()
        if taken is not None:
            return Ticket(taken[0], taken[1], lock)
    if is_free:
        locks.release_session(lock)
    return _answer_of(known.first(), fingerprint)


def _answer_of(record: IdempotencyRecord | None, fingerprint: str) -> Stored:
    if record is not None and record.fingerprint != fingerprint:
        raise IdempotencyMismatchError
    if record is None or record.response_status is None:
        raise IdempotencyInProgressError
    return Stored(record.response_status, record.response_body)


def finish(ticket: Ticket, *, status: int, body: object) -> None:
    """Keep the answer for every later request with the same key."""
    _held(ticket).update(response_status=status, response_body=body, lease_until=None)
    locks.release_session(ticket.lock)


def abandon(ticket: Ticket) -> None:
    """Free the key of a request that failed."""
    _held(ticket).delete()
    locks.release_session(ticket.lock)


def _held(ticket: Ticket) -> Any:
    return IdempotencyRecord.objects.filter(pk=ticket.record_id, lease_until=ticket.lease_until, response_status=None)


def purge() -> int:
    """Remove answers older than ``KEPT``; return how many."""
    removed, _ = IdempotencyRecord.objects.filter(created_at__lt=Now() - KEPT).delete()
    return removed
