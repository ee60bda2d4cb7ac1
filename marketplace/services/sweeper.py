"""Everything that is due, found in columns and done: the only clock of the market. Any number may run at once."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from common import outbox
from marketplace.core.states import BatchState
from marketplace.models import Batch
from marketplace.services import (
    adjustments,
    assignments,
    cancellations,
    holds,
    offering,
    platform_pay,
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

    @property
    def is_behind(self) -> bool:
        """Whether more was due than one sweep takes, so that the next should follow at once."""
        return self.n_expired >= offering.LIMIT or self.n_offers >= offering.LIMIT


_DUE: Final = (
    "marketplace_offer WHERE state = 'live' AND expires_at <= statement_timestamp()",
    "marketplace_offer WHERE state = 'live' AND remind_at <= statement_timestamp()",
    "marketplace_batch WHERE offer_due_at <= statement_timestamp()",
    "marketplace_batch WHERE review = 'open' AND review_due_at <= statement_timestamp()",
    "marketplace_assignment WHERE state = 'reserved' AND pinged_at IS NULL AND start_due_at <= statement_timestamp()",
    "marketplace_assignment WHERE state = 'reserved' AND lapse_at <= statement_timestamp()",
    "marketplace_assignment WHERE state IN ('started', 'rework') AND due_at <= statement_timestamp()",
    "marketplace_assignment WHERE state IN ('reserved', 'started', 'rework') AND warn_at <= statement_timestamp()",
    "marketplace_assignment WHERE rules_due_at <= statement_timestamp()",
    "marketplace_settlement WHERE post_due_at <= statement_timestamp()",
    "marketplace_settlementadjustment WHERE post_due_at <= statement_timestamp()",
    "marketplace_job WHERE held_micro > committed_micro AND state IN ('closed', 'cancelled')",
    "marketplace_lot WHERE vet_due_at <= statement_timestamp()",
    "marketplace_campaign WHERE state = 'running' AND next_check_at <= statement_timestamp()",
    "marketplace_campaign WHERE state = 'running' AND phase = 'review' AND remind_at <= statement_timestamp()",
    "vendors_capacitywindow WHERE open_until <= statement_timestamp()",
    "common_outboxmessage WHERE delivered_at IS NULL AND failed_at IS NULL"
    " AND next_attempt_at <= statement_timestamp()",
    "common_moneyop WHERE next_attempt_at <= statement_timestamp()",
    "common_providerevent WHERE due_at <= statement_timestamp()",
)
"""What cannot wait; each condition is that of an index. The rest (papers, suspensions, rules on vendors, the calendar's
horizon) is found by the full sweeps in between."""

_IS_DUE: Final = "SELECT " + " OR ".join(f"EXISTS (SELECT FROM {rows})" for rows in _DUE)  # noqa: S608 - constants


def is_due() -> bool:
    """Say whether anything that cannot wait is due: all that an idle tick costs."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_DUE)
        return bool(cursor.fetchone()[0])


def sweep() -> Sweep:
    """Do all that is due: hours, expiry, late work, reminders, ranking, rules, offers, reviews, money, outbox.

    Each part commits on its own, and takes so much at most; ``is_behind`` tells whether to sweep again at once.
    """
    hours.refresh_due()
    hours.roll()
    n_expired = offering.expire()
    cancellations.cancel_left_over()
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
    platform_pay.post_due()
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
              ORDER BY next_attempt_at LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED) due
        WHERE o.id = due.id RETURNING o.id""",
    "marketplace.tasks.act_on_provider_event": """
        UPDATE common_providerevent e SET due_at = statement_timestamp() + %(lease)s * interval '1 second'
        FROM (SELECT id FROM common_providerevent WHERE due_at <= statement_timestamp()
              ORDER BY due_at LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED) due
        WHERE e.id = due.id RETURNING e.id""",
    "marketplace.tasks.vet_lot": """
        UPDATE marketplace_lot l SET vet_due_at = statement_timestamp() + %(lease)s * interval '1 second'
        FROM (SELECT id FROM marketplace_lot WHERE vet_due_at <= statement_timestamp()
              ORDER BY vet_due_at LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED) due
        WHERE l.id = due.id RETURNING l.id""",
    "marketplace.tasks.advance_campaign": """
        UPDATE marketplace_campaign c SET next_check_at = statement_timestamp() + %(lease)s * interval '1 second'
        FROM (SELECT id FROM marketplace_campaign WHERE state = 'running' AND next_check_at <= statement_timestamp()
              ORDER BY next_check_at LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED) due
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
