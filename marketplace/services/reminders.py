"""Reminders of running time, each exactly once: an offer half run out, work not begun, a deadline near, a proposal.

Each is one statement: it clears the column that says the reminder is owed, writes the event, and puts one message per
vendor, or per proposal, into the outbox. Any number may run at once; locked rows are skipped.
"""

from typing import Any, Final

from django.db import connection, transaction

_TELL: Final = """
), told AS (
    INSERT INTO marketplace_routingevent (created_at, job_id, lot_id, batch_id, vendor_id, kind, subject, facts)
    SELECT statement_timestamp(), d.job_id, b.lot_id, d.batch_id, d.vendor_id, %(event)s, d.id,
           jsonb_build_object('until', d.until)
    FROM done d JOIN marketplace_batch b ON b.id = d.batch_id
), put AS (
    INSERT INTO common_outboxmessage (id, created_at, topic, payload, attempts, next_attempt_at, last_error)
    SELECT uuidv7(), statement_timestamp(), 'vendor.notice', jsonb_build_object(
               'vendor', d.vendor_id, 'kind', %(kind)s::text, 'about', jsonb_agg(jsonb_build_object(
                   'subject', d.id, 'facts', jsonb_build_object('job', j.title, 'until', d.until)) ORDER BY d.id)),
           0, statement_timestamp(), ''
    FROM done d JOIN marketplace_job j ON j.id = d.job_id GROUP BY d.vendor_id
)
SELECT count(*) FROM done
"""

_OFFERS: Final = """
WITH due AS MATERIALIZED (
    SELECT id FROM marketplace_offer
    WHERE state = 'live' AND remind_at <= statement_timestamp() AND expires_at > statement_timestamp()
    ORDER BY remind_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), done AS (
    UPDATE marketplace_offer o SET remind_at = NULL FROM due WHERE o.id = due.id
    RETURNING o.id, o.job_id, o.batch_id, o.vendor_id, o.expires_at AS until
"""

_STARTS: Final = """
WITH due AS MATERIALIZED (
    SELECT id FROM marketplace_assignment
    WHERE state = 'reserved' AND pinged_at IS NULL AND start_due_at <= statement_timestamp()
    ORDER BY start_due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), done AS (
    UPDATE marketplace_assignment a SET pinged_at = statement_timestamp() FROM due WHERE a.id = due.id
    RETURNING a.id, a.job_id, a.batch_id, a.vendor_id, a.lapse_at AS until
"""

_DEADLINES: Final = """
WITH due AS MATERIALIZED (
    SELECT id FROM marketplace_assignment
    WHERE state IN ('reserved', 'started', 'rework') AND warn_at <= statement_timestamp()
    ORDER BY warn_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), done AS (
    UPDATE marketplace_assignment a SET warn_at = NULL FROM due WHERE a.id = due.id
    RETURNING a.id, a.job_id, a.batch_id, a.vendor_id, a.due_at AS until
"""

_PROPOSALS: Final = """
WITH due AS MATERIALIZED (
    SELECT id FROM marketplace_campaign
    WHERE state = 'running' AND phase = 'review' AND remind_at <= statement_timestamp()
    ORDER BY remind_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), done AS (
    UPDATE marketplace_campaign c SET remind_at = NULL FROM due WHERE c.id = due.id
    RETURNING c.id, c.job_id, c.organization_id, c.round, c.review_due_at AS until
), timely AS (
    SELECT * FROM done WHERE until IS NULL OR until > statement_timestamp()
), told AS (
    INSERT INTO marketplace_routingevent (created_at, job_id, kind, subject, facts)
    SELECT statement_timestamp(), job_id, 'proposal.reminded', job_id,
           jsonb_build_object('round', round, 'until', until)
    FROM timely
), put AS (
    INSERT INTO common_outboxmessage (id, created_at, topic, payload, attempts, next_attempt_at, last_error)
    SELECT uuidv7(), statement_timestamp(), 'customer.notice', jsonb_build_object(
               'customer', t.organization_id,
               'kind', CASE WHEN t.until IS NULL THEN 'proposal.waits' ELSE 'proposal.closes' END,
               'about', jsonb_build_array(jsonb_build_object(
                   'subject', t.id, 'facts', jsonb_build_object('job', j.title, 'round', t.round, 'until', t.until)))),
           0, statement_timestamp(), ''
    FROM timely t JOIN marketplace_job j ON j.id = t.job_id
)
SELECT count(*) FROM timely
"""
"""An approved proposal, or one whose time is over, is owed none any more: the column is cleared and nothing said."""

_ALL: Final = (
    (_OFFERS, "offer.reminded", "offer.reminder"),
    (_STARTS, "assignment.pinged", "work.not_started"),
    (_DEADLINES, "assignment.warned", "work.deadline_near"),
)


def send_due(*, limit: int = 1000) -> int:
    """Send the reminders that are due; return how many."""
    n_sent = 0
    for statement, event, kind in _ALL:
        n_sent += _send(statement + _TELL, {"limit": limit, "event": event, "kind": kind})
    return n_sent + _send(_PROPOSALS, {"limit": limit})


def _send(statement: str, facts: dict[str, Any]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, facts)
        return int(cursor.fetchone()[0])
