"""Rules on offers: one winner, one end, in time, in order.

Each rule is the number of its invariant, what is wrong in words, and a query for the rows it is wrong of.
"""

from typing import Final

_CLOSING: Final = "('offer.accepted', 'offer.declined', 'offer.expired', 'offer.withdrawn')"

RULES: Final[tuple[tuple[int, str, str], ...]] = (
    (
        1,
        "a batch has more than one accepted offer whose work stands",
        """SELECT o.batch_id FROM marketplace_offer o JOIN marketplace_assignment a ON a.offer_id = o.id
           WHERE o.state = 'accepted' AND a.state NOT IN ('failed', 'rejected', 'cancelled')
             AND NOT EXISTS (SELECT FROM marketplace_routingevent e WHERE e.batch_id = o.batch_id
                             AND e.subject = a.id AND e.kind IN ('assignment.failed', 'assignment.cancelled'))
           GROUP BY o.batch_id HAVING count(*) > 1""",
    ),
    (
        1,
        "an offer is accepted without an assignment of the same batch, vendor and price, or the other way round",
        """SELECT coalesce(o.id, a.offer_id)
           FROM (SELECT * FROM marketplace_offer WHERE state = 'accepted') o
           FULL JOIN marketplace_assignment a ON a.offer_id = o.id
           WHERE o.id IS NULL OR a.id IS NULL OR a.batch_id <> o.batch_id OR a.vendor_id <> o.vendor_id""",
    ),
    (
        1,
        "a batch has more live offers than its wave",
        """SELECT o.batch_id FROM marketplace_offer o JOIN marketplace_job j ON j.id = o.job_id
           WHERE o.state = 'live' GROUP BY o.batch_id, j.wave_size HAVING count(*) > j.wave_size""",
    ),
    (
        1,
        "an offer without rivals is live on a batch that is not on offer",
        """SELECT o.id FROM marketplace_offer o JOIN marketplace_batch b ON b.id = o.batch_id
           JOIN marketplace_job j ON j.id = o.job_id
           WHERE o.state = 'live' AND b.state <> 'offering' AND j.wave_size = 1""",
    ),
    (
        2,
        "an offer was not made exactly once, or has not exactly one closing event (none while live)",
        f"""SELECT o.id FROM marketplace_offer o LEFT JOIN (
                SELECT subject, count(*) FILTER (WHERE kind = 'offer.made') AS n_made,
                       count(*) FILTER (WHERE kind IN {_CLOSING}) AS n_closed
                FROM marketplace_routingevent WHERE kind = 'offer.made' OR kind IN {_CLOSING} GROUP BY subject
            ) e ON e.subject = o.id
            WHERE coalesce(e.n_made, 0) <> 1 OR coalesce(e.n_closed, 0) <> (o.state <> 'live')::int""",  # noqa: S608
    ),
    (
        2,
        "an event tells of an offer that does not exist",
        f"""SELECT e.subject FROM marketplace_routingevent e LEFT JOIN marketplace_offer o ON o.id = e.subject
            WHERE (e.kind = 'offer.made' OR e.kind IN {_CLOSING}) AND o.id IS NULL""",  # noqa: S608 - constants
    ),
    (
        3,
        "an offer was accepted or declined at or after its deadline, or expired before it (database clock)",
        """SELECT id FROM marketplace_offer
           WHERE (state IN ('accepted', 'declined') AND decided_at >= expires_at)
              OR (state = 'expired' AND decided_at < expires_at)""",
    ),
    (
        7,
        "a vendor has two offers of a batch in one round",
        """SELECT batch_id FROM marketplace_offer GROUP BY batch_id, round, vendor_id HAVING count(*) > 1""",
    ),
    (
        7,
        "a vendor was offered records of a chunk it had accepted before",
        """SELECT later.id FROM marketplace_offer later JOIN marketplace_offer earlier
             ON earlier.lot_id = later.lot_id AND earlier.chunk = later.chunk AND earlier.vendor_id = later.vendor_id
            AND earlier.state = 'accepted' AND earlier.decided_at < later.created_at AND earlier.id <> later.id""",
    ),
    (
        7,
        "a vendor was offered a batch though the ranking excludes it",
        """SELECT o.id FROM marketplace_offer o JOIN marketplace_candidate c ON c.id = o.candidate_id
           WHERE c.sequence IS NULL""",
    ),
    (
        8,
        "an offer differs from its place in the frozen ranking: vendor, sequence, price or currency",
        """SELECT o.id FROM marketplace_offer o JOIN marketplace_candidate c ON c.id = o.candidate_id
           WHERE c.vendor_id <> o.vendor_id OR c.sequence IS DISTINCT FROM o.sequence
              OR c.price_micro IS DISTINCT FROM o.price_micro OR c.currency <> o.currency""",
    ),
    (
        8,
        "the offers of a round come from more than one ranking",
        """SELECT o.batch_id FROM marketplace_offer o JOIN marketplace_candidate c ON c.id = o.candidate_id
           GROUP BY o.batch_id, o.round HAVING count(DISTINCT c.run_id) > 1""",
    ),
)

STRICT: Final[tuple[tuple[int, str, str], ...]] = (
    (
        8,
        "an offer of a round came before that of a better candidate, though nobody was ever busy",
        """SELECT id FROM (
               SELECT o.id, o.sequence, max(o.sequence) OVER (
                   PARTITION BY o.batch_id, o.round ORDER BY o.id
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS worst
               FROM marketplace_offer o JOIN marketplace_job j ON j.id = o.job_id WHERE j.wave_size = 1
           ) o WHERE sequence <= worst""",
    ),
)
