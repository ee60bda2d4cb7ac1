"""What nobody sees to: rows in a state that is not final, without the timer or the owner that state must have.

Empty in a market that works. A row here is a bug, whatever else is true; staff reads it, the tests demand it empty.
"""

from dataclasses import dataclass
from typing import Final

from django.db import connection

_ORPHANS: Final = """
SELECT 'batch ' || b.state, b.id FROM marketplace_batch b
WHERE b.state IN ('draft', 'waiting') AND b.offer_due_at IS NULL
UNION ALL
SELECT 'batch offering', b.id FROM marketplace_batch b
WHERE b.state = 'offering' AND b.offer_due_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM marketplace_offer o WHERE o.batch_id = b.id AND o.state = 'live')
UNION ALL
SELECT 'batch ' || b.state, b.id FROM marketplace_batch b
WHERE b.state IN ('assigned', 'in_progress', 'rework') AND NOT EXISTS (
    SELECT 1 FROM marketplace_assignment a WHERE a.batch_id = b.id
    AND a.state = CASE b.state WHEN 'assigned' THEN 'reserved' WHEN 'in_progress' THEN 'started' ELSE 'rework' END)
UNION ALL
SELECT 'batch delivered', b.id FROM marketplace_batch b JOIN marketplace_lot l ON l.id = b.lot_id
WHERE b.state = 'delivered' AND l.vet_due_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM marketplace_batch s WHERE s.lot_id = b.lot_id AND s.chunk = b.chunk
    AND s.state NOT IN ('delivered', 'done', 'cancelled'))
UNION ALL
SELECT 'batch ' || b.state || ' with live offers', b.id FROM marketplace_batch b
WHERE b.state NOT IN ('offering') AND EXISTS (
    SELECT 1 FROM marketplace_offer o WHERE o.batch_id = b.id AND o.state = 'live'
    AND o.expires_at < statement_timestamp() - interval '1 minute')
UNION ALL
SELECT 'assignment submitted', a.id FROM marketplace_assignment a JOIN marketplace_batch b ON b.id = a.batch_id
WHERE a.state = 'submitted' AND b.state <> 'delivered'
UNION ALL
SELECT 'lot open', l.id FROM marketplace_lot l
WHERE l.state = 'open' AND l.vet_due_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM marketplace_batch b WHERE b.lot_id = l.id AND b.state NOT IN ('done', 'cancelled'))
"""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A row without an owner: what it is, and its id."""

    what: str
    id: object


def find() -> list[Orphan]:
    """Return every row that waits for nobody, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_ORPHANS)
        return [Orphan(*row) for row in cursor.fetchall()]
