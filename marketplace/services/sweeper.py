"""Everything that is due, found in columns and done: the only clock of the market. Any number may run at once."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from common import outbox
from marketplace.core.states import BatchState
from marketplace.models import Batch
from marketplace.services import (
    adjustments,
    assignments,
    holds,
    offering,
    reminders,
    reviews,
    routing,
    rulings,
    vendor_exits,
    vendor_rules,
)
from vendors.services import documents, hours, onboarding

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one tick did."""

    n_expired: int
    n_offers: int
    n_ranked: int
    n_late: int
    n_reminded: int


def sweep() -> Sweep:
    """Do all that is due: hours, expiry, late work, reminders, ranking, rules, offers, reviews, money, outbox.

    Each part commits on its own.
    """
    hours.refresh_due()
    hours.roll()
    n_expired = offering.expire()
    n_late = assignments.sweep_timers()
    n_reminded = reminders.send_due()
    n_ranked = _rank_due()
    rulings.enforce_due()
    n_offers = len(offering.advance())
    onboarding.lift_suspensions()
    documents.warn_due()
    vendor_rules.sweep_due()
    vendor_exits.withdraw_left_over()
    reviews.accept_due()
    holds.post_due()
    adjustments.post_due()
    holds.release_due()
    outbox.relay()
    return Sweep(n_expired, n_offers, n_ranked, n_late, n_reminded)


def _rank_due(limit: int = 500) -> int:
    due = Batch.objects.raw(
        "SELECT id FROM marketplace_batch WHERE offer_due_at <= statement_timestamp() AND state IN %s LIMIT %s",
        [(BatchState.WAITING.value, BatchState.DRAFT.value), limit],
    )
    ids = [batch.pk for batch in due]
    return routing.rank_batches(batch_ids=ids) if ids else 0


_CLAIM = {
    "marketplace.tasks.run_money_op": """
        UPDATE common_moneyop o SET next_attempt_at = statement_timestamp() + interval '120 seconds'
        FROM (SELECT id FROM common_moneyop WHERE next_attempt_at <= statement_timestamp()
              ORDER BY next_attempt_at LIMIT 100 FOR UPDATE SKIP LOCKED) due
        WHERE o.id = due.id RETURNING o.id""",
    "marketplace.tasks.act_on_provider_event": """
        UPDATE common_providerevent e SET due_at = statement_timestamp() + %(lease)s * interval '1 second'
        FROM (SELECT id FROM common_providerevent WHERE due_at <= statement_timestamp()
              ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED) due
        WHERE e.id = due.id RETURNING e.id""",
    "marketplace.tasks.vet_lot": """
        UPDATE marketplace_lot l SET vet_due_at = statement_timestamp() + %(lease)s * interval '1 second'
        FROM (SELECT id FROM marketplace_lot WHERE vet_due_at <= statement_timestamp()
              ORDER BY vet_due_at LIMIT 100 FOR UPDATE SKIP LOCKED) due
        WHERE l.id = due.id RETURNING l.id""",
    "marketplace.tasks.advance_campaign": """
        UPDATE marketplace_campaign c SET next_check_at = statement_timestamp() + %(lease)s * interval '1 second'
        FROM (SELECT id FROM marketplace_campaign WHERE state = 'running' AND next_check_at <= statement_timestamp()
              ORDER BY next_check_at LIMIT 100 FOR UPDATE SKIP LOCKED) due
        WHERE c.id = due.id RETURNING c.id""",
}


def dispatch_due(send: Callable[[str, uuid.UUID], object]) -> int:
    """Claim lots to vet and campaigns to advance, and hand each to ``send``; return how many.

    A claim is a lease: work handed to a process that died is due again after ``WORK_LEASE_S``.
    """
    n_sent = 0
    for task, claim in _CLAIM.items():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(claim, {"lease": settings.WORK_LEASE_S})
            ids = [row[0] for row in cursor.fetchall()]
        for identifier in ids:
            send(task, identifier)
        n_sent += len(ids)
    return n_sent
