"""Offers as sets: expire what is due and make the next offers, in two statements that any number may run at once.

Statement time, not `clock_timestamp()`: only a stable function lets PostgreSQL use the index on the deadline.
"""

import uuid
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from vendors.services import posteriors

LIMIT: Final = 2000
"""Offers closed, and batches offered on, in one transaction: few enough for it to end within half a second."""

_RETRY_S: Final = 0.5
"""How soon a batch is looked at again when all its candidates are busy, seconds."""

_CLOSING_S: Final = 3600.0
"""A vendor that closes before this, and before its window ends, steps back behind those that stay open, seconds."""

_MAX_LAYERS: Final = 10

_EXPIRE: Final = """
WITH due AS MATERIALIZED (
    SELECT o.id, b.state = 'offering' AS is_open, coalesce(b.hard_ratio, 0) >= 0.5 AS is_hard
    FROM marketplace_offer o JOIN marketplace_batch b ON b.id = o.batch_id
    WHERE o.state = 'live' AND o.expires_at <= statement_timestamp()
    ORDER BY o.expires_at LIMIT %(limit)s FOR NO KEY UPDATE OF o, b SKIP LOCKED
), gone AS (
    UPDATE marketplace_offer o SET
        state = CASE WHEN due.is_open THEN 'expired' ELSE 'withdrawn' END,
        reason = CASE WHEN due.is_open THEN 'no_answer' ELSE 'lost_wave' END,
        decided_at = statement_timestamp()
    FROM due WHERE o.id = due.id
    RETURNING o.id, o.job_id, o.lot_id, o.batch_id, o.vendor_id, o.capability_id, o.sequence, o.state, o.reason,
              o.state = 'expired' AND NOT o.is_cut AS is_silence, due.is_hard
), freed AS (
    UPDATE marketplace_batch b SET offer_due_at = statement_timestamp()
    FROM gone WHERE b.id = gone.batch_id AND b.state = 'offering'
), told AS (
    INSERT INTO marketplace_routingevent (created_at, job_id, lot_id, batch_id, vendor_id, kind, subject, facts)
    SELECT statement_timestamp(), job_id, lot_id, batch_id, vendor_id, 'offer.' || state, id,
           jsonb_build_object('sequence', sequence, 'reason', reason)
    FROM gone
)
SELECT capability_id, is_silence, is_hard FROM gone WHERE state = 'expired'
"""
"""Offer and batch are locked together, and skipped together: two sweepers never wait for each other. A live offer whose
batch is taken lost a race that ended in a crash; it counts against nobody."""

_PLACE: Final = """id, job_id, lot_id, chunk, round, ranking_id, n_open, is_last, round_pause_s, remaining_micro,
           fee_basis_points, cap_s, wave, slots, until, n_wanted"""
_CHOSEN: Final = """candidate_id, vendor_id, capability_id, sequence, price_micro, currency, accept_window_s, free_at,
           ends_closed"""

_CANDIDATES: Final = """
    SELECT c.id AS candidate_id, c.vendor_id, c.capability_id, c.sequence, c.price_micro, c.currency,
           c.accept_window_s, able.*
    FROM (SELECT * FROM marketplace_candidate WHERE run_id = place.ranking_id ORDER BY sequence OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT CASE
                   WHEN w.in_flight >= CASE v.state WHEN 'probation' THEN 1 ELSE w.slots END OR EXISTS (
                       SELECT 1 FROM marketplace_offer o
                       WHERE o.lot_id = place.lot_id AND o.chunk = place.chunk AND o.vendor_id = c.vendor_id
                         AND o.state IN ('live', 'accepted') AND o.state <> 'accepted')
                       THEN statement_timestamp() + %(retry_s)s * interval '1 second'
                   WHEN w.keeps_hours AND NOT (w.open_from <= statement_timestamp()
                                               AND w.open_until > statement_timestamp())
                       THEN greatest(w.open_from, statement_timestamp() + %(retry_s)s * interval '1 second')
                   WHEN w.daily_limit IS NOT NULL
                        AND w.taken_on = (statement_timestamp() AT TIME ZONE w.time_zone)::date
                        AND w.n_taken + place.n_open > w.daily_limit
                       THEN (w.taken_on + 1)::timestamp AT TIME ZONE w.time_zone
               END AS free_at,
               w.keeps_hours AND w.open_until < statement_timestamp() + c.accept_window_s * interval '1 second'
                   AS ends_closed,
               w.keeps_hours AND w.open_until < statement_timestamp()
                   + least(c.accept_window_s, %(closing_s)s) * interval '1 second' AS is_closing
        FROM vendors_vendor v, vendors_capability k, vendors_capacitywindow w
        WHERE v.id = c.vendor_id AND k.id = c.capability_id AND w.vendor_id = c.vendor_id AND c.sequence IS NOT NULL
          AND v.state IN ('probation', 'active') AND k.status = 'active' AND w.is_accepting
          AND coalesce(least(k.qualified_until, k.evidence_until) > statement_timestamp(), true)
          AND (w.paused_until IS NULL OR w.paused_until <= statement_timestamp())
          AND (NOT w.keeps_hours OR w.open_until IS NOT NULL)
          AND (w.daily_limit IS NULL OR w.daily_limit >= place.n_open)
          AND c.min_batch <= place.n_open
          AND c.price_micro * place.n_open * (10000 + place.fee_basis_points) / 10000 <= place.remaining_micro
          AND NOT EXISTS (
              SELECT 1 FROM marketplace_offer o
              WHERE o.batch_id = place.id AND o.round = place.round AND o.vendor_id = c.vendor_id)
          AND NOT EXISTS (
              SELECT 1 FROM marketplace_offer o
              WHERE o.lot_id = place.lot_id AND o.chunk = place.chunk AND o.vendor_id = c.vendor_id
                AND o.state = 'accepted')
          AND NOT EXISTS (
              SELECT 1 FROM marketplace_ruleeffect e
              WHERE e.vendor_id = c.vendor_id AND e.action = 'pause_vendor' AND e.reversed_at IS NULL
                AND e.expires_at > statement_timestamp() AND (e.job_id IS NULL OR e.job_id = place.job_id))
        OFFSET 0
    ) able
"""
"""Whom a place may be offered to, in order, and from when on: ``free_at`` is null for those free now. The fences
(``OFFSET 0``) keep the order of the walk, so that a limit ends it at the first candidate that will do.

Live offers are looked up as "live or accepted, and not accepted", which keeps to the index on lot, chunk and vendor.
With ``state = 'live'`` the planner takes the index on deadlines whenever its statistics are of a moment without live
offers, and reads all of it for each batch."""

_ADVANCE: Final = f"""
WITH due AS MATERIALIZED (
    SELECT b.id, b.job_id, b.lot_id, b.chunk, b.round, b.ranking_id, b.n_open,
           b.round >= b.max_round OR b.n_offers >= j.max_offers AS is_last, j.round_pause_s,
           j.budget_micro - j.committed_micro AS remaining_micro, j.fee_basis_points,
           CASE WHEN j.weight_speed > greatest(j.weight_cost, j.weight_accuracy)
                THEN %(cap_speed_s)s ELSE %(cap_s)s END::float8 AS cap_s,
           CASE WHEN b.n_offers > 0 OR b.round > 1 THEN j.wave_size ELSE 1 END AS wave,
           j.max_offers - b.n_offers AS n_left
    FROM marketplace_batch b JOIN marketplace_job j ON j.id = b.job_id
    WHERE b.offer_due_at <= statement_timestamp() AND b.state = 'offering' AND j.state = 'open'
    ORDER BY b.offer_due_at LIMIT %(limit)s FOR NO KEY UPDATE OF b SKIP LOCKED
), place AS MATERIALIZED (
    SELECT due.*, live.slots, live.until,
           greatest(0, least(due.wave - cardinality(live.slots), due.n_left)) AS n_wanted
    FROM due CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(o.slot::int), '{{}}') AS slots, min(o.expires_at) AS until
        FROM marketplace_offer o
        WHERE o.lot_id = due.lot_id AND o.chunk = due.chunk AND o.batch_id = due.id
          AND o.state IN ('live', 'accepted') AND o.state <> 'accepted'
    ) live
), first AS MATERIALIZED (
    SELECT place.*, c.*, count(c.candidate_id) OVER same < n_wanted AS is_short, row_number() OVER same AS number
    FROM place LEFT JOIN LATERAL (
        SELECT * FROM ({_CANDIDATES}) c WHERE free_at IS NULL AND NOT is_closing ORDER BY sequence LIMIT place.n_wanted
    ) c ON true
    WINDOW same AS (PARTITION BY place.id)
), choice AS MATERIALIZED (
    SELECT {_PLACE}, {_CHOSEN} FROM first WHERE NOT is_short
    UNION ALL
    SELECT {_PLACE}, {_CHOSEN}
    FROM (SELECT {_PLACE} FROM first WHERE is_short AND number = 1) place LEFT JOIN LATERAL (
        SELECT * FROM ({_CANDIDATES}) c ORDER BY free_at NULLS FIRST, is_closing, sequence LIMIT place.n_wanted
    ) c ON true
), picked AS (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY sequence) - 1 AS place,
           CASE WHEN ends_closed
                THEN vendors_working_deadline(vendor_id, statement_timestamp(), accept_window_s, cap_s)
                ELSE statement_timestamp() + accept_window_s * interval '1 second' END AS expires_at,
           CASE WHEN ends_closed
                THEN vendors_working_deadline(
                    vendor_id, statement_timestamp(), accept_window_s * %(remind)s::float8, cap_s)
                ELSE statement_timestamp() + accept_window_s * %(remind)s * interval '1 second' END AS remind_at
    FROM choice WHERE candidate_id IS NOT NULL AND free_at IS NULL
), made AS (
    INSERT INTO marketplace_offer (
        id, created_at, batch_id, job_id, lot_id, chunk, vendor_id, capability_id, candidate_id, round, sequence, slot,
        state, n_items, price_micro, currency, expires_at, is_cut, remind_at, reason)
    SELECT uuidv7(), statement_timestamp(), id, job_id, lot_id, chunk, vendor_id, capability_id, candidate_id, round,
           sequence, CASE wave WHEN 1 THEN 0 ELSE (
               SELECT slot FROM generate_series(0, wave - 1) slot WHERE slot <> ALL (slots)
               ORDER BY slot OFFSET place LIMIT 1) END,
           'live', n_open, price_micro, currency, expires_at,
           ends_closed AND expires_at >= statement_timestamp() + cap_s * interval '1 second',
           CASE WHEN remind_at < expires_at THEN remind_at END, ''
    FROM picked ORDER BY lot_id, chunk, vendor_id
    ON CONFLICT DO NOTHING
    RETURNING id, job_id, lot_id, batch_id, vendor_id, sequence, round, slot, price_micro, expires_at
), outcome AS (
    SELECT id, until, is_last, round_pause_s, free_at,
           (candidate_id IS NOT NULL)::int AS n_found, (candidate_id IS NOT NULL AND free_at IS NULL)::int AS n_picked,
           0 AS n_made
    FROM choice
    UNION ALL
    SELECT batch_id, NULL, NULL, NULL, NULL, 0, 0, 1 FROM made
), fate AS (
    SELECT id, sum(n_made) AS n_made, max(until) AS until, bool_or(is_last) AS is_last, min(free_at) AS free_at,
           sum(n_found) = 0 AND max(until) IS NULL AS is_exhausted, sum(n_picked) > sum(n_made) AS is_contested,
           max(round_pause_s) AS round_pause_s
    FROM outcome GROUP BY id
), moved AS (
    UPDATE marketplace_batch b SET
        n_offers = b.n_offers + fate.n_made,
        state = CASE WHEN NOT fate.is_exhausted THEN 'offering' WHEN fate.is_last THEN 'escalated' ELSE 'waiting' END,
        reason = CASE WHEN fate.is_exhausted THEN 'candidates_exhausted'
                      WHEN fate.n_made = 0 AND fate.until IS NULL AND NOT fate.is_contested THEN 'candidates_busy'
                      ELSE '' END,
        offer_due_at = CASE
            WHEN fate.is_contested THEN statement_timestamp()
            WHEN fate.n_made > 0 THEN NULL
            WHEN fate.until IS NOT NULL THEN fate.until
            WHEN NOT fate.is_exhausted THEN fate.free_at
            WHEN fate.is_last THEN NULL
            ELSE statement_timestamp() + fate.round_pause_s * interval '1 second' END
    FROM fate WHERE b.id = fate.id
    RETURNING b.id, b.job_id, b.lot_id, b.state, b.round
), told AS (
    INSERT INTO marketplace_routingevent (created_at, job_id, lot_id, batch_id, vendor_id, kind, subject, facts)
    SELECT statement_timestamp(), job_id, lot_id, batch_id, vendor_id, 'offer.made', id,
           jsonb_build_object('sequence', sequence, 'round', round, 'slot', slot, 'price_micro', price_micro,
                              'expires_at', expires_at)
    FROM made
    UNION ALL
    SELECT statement_timestamp(), job_id, lot_id, id, NULL, 'batch.' || state, id, jsonb_build_object('round', round)
    FROM moved WHERE state IN ('waiting', 'escalated')
)
SELECT id, false FROM made UNION ALL SELECT NULL, true FROM fate WHERE is_contested
"""  # noqa: S608 - put together from constants
"""A wave tops up the batch's live offers. Where nothing could be added to those still live (``until``), the batch stays
due at the next deadline: a sibling that expired between our snapshot and our lock would otherwise strand it.

Most batches find their next candidate near the head of the ranking, so the walk over it stops there (``first``); only
where it falls short are all candidates put in order by when they are free.
What was made is counted beside what was chosen, not joined with it: the planner expects one row of each and would loop
over both."""


def expire(*, limit: int = LIMIT) -> int:
    """Close live offers whose time is up and hand their batches on; return how many.

    Safe to run in any number at once: rows another sweeper holds are skipped, and each offer is closed once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_EXPIRE, {"limit": limit})
        gone: list[tuple[uuid.UUID, bool, bool]] = cursor.fetchall()
        silent = [(capability_id, is_hard) for capability_id, is_silence, is_hard in gone if is_silence]
        posteriors.record_silences(capability_ids=[capability_id for capability_id, _ in silent])
        posteriors.record_hard_responses(missed=[capability_id for capability_id, is_hard in silent if is_hard])
    return len(gone)


def advance(*, limit: int = LIMIT) -> list[uuid.UUID]:
    """Make the next offer of every batch that is owed one; return the offers made.

    A batch with no candidate left waits for a new ranking, or is escalated to the customer after its last round.
    When all remaining candidates are busy, closed or have their day full, it stays in place and is looked at again as
    soon as the first of them may be free. Windows run in the vendor's working time, up to a cap on the clock. Layers
    of one chunk that reach for the same vendor at once are settled by the unique constraint; the losers choose again.
    """
    made: list[uuid.UUID] = []
    facts = {
        "limit": limit,
        "retry_s": _RETRY_S,
        "closing_s": _CLOSING_S,
        "cap_s": settings.OFFER_CAP_S,
        "cap_speed_s": settings.OFFER_CAP_SPEED_S,
        "remind": settings.OFFER_REMINDER_RATIO,
    }
    for _ in range(_MAX_LAYERS):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ADVANCE, facts)
            fates = cursor.fetchall()
        made += [offer_id for offer_id, _ in fates if offer_id is not None]
        if not any(is_contested for _, is_contested in fates):
            break
    return made
