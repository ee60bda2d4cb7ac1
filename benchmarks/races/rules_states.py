"""Rules on states: slots are held by open work, somebody waits for everything, and state is the fold of the events."""

from typing import Final

_OUT: Final = "('draft', 'offering', 'waiting', 'escalated', 'assigned', 'in_progress', 'rework')"

_OFFERS_FOLDED: Final = """
SELECT o.id FROM marketplace_offer o JOIN (
    SELECT DISTINCT ON (subject) subject, replace(substr(kind, 7), 'made', 'live') AS folded
    FROM marketplace_routingevent
    WHERE kind IN ('offer.made', 'offer.accepted', 'offer.declined', 'offer.expired', 'offer.withdrawn')
    ORDER BY subject, id DESC
) e ON e.subject = o.id
WHERE o.state <> e.folded
"""

_ASSIGNMENTS_FOLDED: Final = """
SELECT a.id FROM marketplace_assignment a LEFT JOIN (
    SELECT DISTINCT ON (work) work, CASE kind
        WHEN 'offer.accepted' THEN 'reserved' WHEN 'batch.delivered' THEN 'submitted'
        WHEN 'annotations.received' THEN CASE WHEN is_again THEN 'rework' ELSE 'started' END
        ELSE substr(kind, strpos(kind, '.') + 1) END AS folded
    FROM (
        SELECT *, bool_or(kind = 'verdict.rework') OVER (PARTITION BY work ORDER BY id) AS is_again
        FROM (SELECT id, kind, CASE kind WHEN 'offer.accepted' THEN (facts ->> 'assignment')::uuid ELSE subject END
                     AS work FROM marketplace_routingevent) e
        WHERE kind IN ('offer.accepted', 'annotations.received', 'batch.delivered', 'assignment.failed',
                       'assignment.cancelled', 'verdict.rework', 'verdict.accepted', 'verdict.rejected')
    ) e ORDER BY work, id DESC
) e ON e.work = a.id
WHERE a.state IS DISTINCT FROM e.folded
  AND NOT (a.state = 'cancelled' AND e.folded IN ('accepted', 'rejected'))
"""

_BATCHES_FOLDED: Final = """
SELECT b.id FROM marketplace_batch b LEFT JOIN (
    SELECT DISTINCT ON (subject) subject, CASE
        WHEN is_given_up THEN 'cancelled'
        WHEN kind IN ('offer.accepted') THEN 'assigned'
        WHEN kind = 'annotations.received' THEN CASE WHEN is_again THEN 'rework' ELSE 'in_progress' END
        WHEN kind = 'verdict.rework' THEN 'rework'
        WHEN kind IN ('assignment.failed', 'verdict.rejected', 'batch.split') THEN 'offering'
        WHEN kind = 'escalation.resolved' THEN 'waiting'
        WHEN kind = 'overlap.added' THEN 'draft'
        ELSE substr(kind, strpos(kind, '.') + 1) END AS folded
    FROM (
        SELECT id, subject, kind,
               bool_or(kind = 'batch.cancelled' OR kind = 'escalation.resolved' AND facts ->> 'choice' = 'close')
                   OVER past AS is_given_up,
               max(id) FILTER (WHERE kind = 'verdict.rework') OVER past
                   > max(id) FILTER (WHERE kind = 'offer.accepted') OVER past AS is_again
        FROM (
            SELECT id, kind, facts, CASE kind WHEN 'batch.split' THEN subject ELSE batch_id END AS subject
            FROM marketplace_routingevent
            WHERE kind IN ('batch.offering', 'batch.waiting', 'batch.escalated', 'batch.cancelled', 'batch.delivered',
                           'batch.split', 'offer.accepted', 'annotations.received', 'assignment.failed',
                           'verdict.rework', 'verdict.rejected', 'escalation.resolved', 'overlap.added')
        ) e WINDOW past AS (PARTITION BY subject ORDER BY id)
    ) e ORDER BY subject, id DESC
) e ON e.subject = b.id
LEFT JOIN (SELECT job_id, max(id) AS id FROM marketplace_routingevent WHERE kind = 'job.cancelled' GROUP BY job_id) c
  ON c.job_id = b.job_id
WHERE b.state IS DISTINCT FROM e.folded
  AND NOT (b.state = 'done' AND e.folded = 'delivered')
  AND NOT (b.state = 'cancelled' AND c.id IS NOT NULL AND e.folded NOT IN ('delivered', 'rework'))
"""
"""Vetting ends a delivered batch without an event of its own (the verdicts tell), so `done` counts as delivered."""

RULES: Final[tuple[tuple[int, str, str], ...]] = (
    (
        4,
        "a vendor's slots in use are not its open assignments, or are more than it has",
        """SELECT w.vendor_id FROM vendors_capacitywindow w LEFT JOIN (
               SELECT vendor_id, count(*) AS n FROM marketplace_assignment
               WHERE state IN ('reserved', 'started', 'rework') GROUP BY vendor_id) a ON a.vendor_id = w.vendor_id
           WHERE w.in_flight <> coalesce(a.n, 0) OR w.in_flight > w.slots OR w.in_flight < 0""",
    ),
    (
        5,
        "a batch on offer has neither a live offer nor a sweep due, or its job takes none any more",
        """SELECT b.id FROM marketplace_batch b JOIN marketplace_job j ON j.id = b.job_id
           WHERE b.state = 'offering' AND b.offer_due_at IS NULL AND (j.state = 'cancelled' OR NOT EXISTS (
               SELECT FROM marketplace_offer o WHERE o.batch_id = b.id AND o.state = 'live'))""",
    ),
    (
        6,
        "a batch waits to be ranked, and nothing will",
        """SELECT id FROM marketplace_batch WHERE state IN ('draft', 'waiting') AND offer_due_at IS NULL""",
    ),
    (
        6,
        "an escalated batch does not say why, or its customer has nothing to decide any more",
        """SELECT b.id FROM marketplace_batch b JOIN marketplace_job j ON j.id = b.job_id
           WHERE b.state = 'escalated' AND (b.reason = '' OR j.state = 'cancelled')""",
    ),
    (
        6,
        "a batch is out with a vendor without work of that state and a deadline",
        """SELECT b.id FROM marketplace_batch b WHERE b.state IN ('assigned', 'in_progress', 'rework') AND NOT EXISTS (
               SELECT FROM marketplace_assignment a WHERE a.batch_id = b.id AND a.due_at IS NOT NULL
                 AND a.state = CASE b.state WHEN 'assigned' THEN 'reserved' WHEN 'in_progress' THEN 'started'
                                            ELSE 'rework' END)""",
    ),
    (
        6,
        "open work belongs to a batch that is in another state",
        """SELECT a.id FROM marketplace_assignment a JOIN marketplace_batch b ON b.id = a.batch_id
           WHERE a.state IN ('reserved', 'started', 'rework') AND b.state <> CASE a.state
               WHEN 'reserved' THEN 'assigned' WHEN 'started' THEN 'in_progress' ELSE 'rework' END""",
    ),
    (
        6,
        "records wait for their labels, nothing of their chunk is out, and no vetting is due",
        f"""SELECT DISTINCT r.lot_id || ' chunk ' || r.chunk
            FROM marketplace_jobrecord r JOIN marketplace_lot l ON l.id = r.lot_id
            WHERE r.state = 'open' AND l.vet_due_at IS NULL AND NOT EXISTS (
                SELECT FROM marketplace_batch b
                WHERE b.lot_id = r.lot_id AND b.chunk = r.chunk AND b.state IN {_OUT})""",  # noqa: S608 - constants
    ),
    (
        6,
        "all records of an open lot are decided, and no vetting is due that would close it",
        """SELECT l.id FROM marketplace_lot l WHERE l.state = 'open' AND l.vet_due_at IS NULL AND NOT EXISTS (
               SELECT FROM marketplace_jobrecord r WHERE r.lot_id = l.id AND r.state = 'open')""",
    ),
    (10, "an offer's state is not the fold of its events", _OFFERS_FOLDED),
    (10, "the state of accepted work is not the fold of its events", _ASSIGNMENTS_FOLDED),
    (10, "a batch's state is not the fold of its events", _BATCHES_FOLDED),
)
