"""Rules on money and side effects: paid is what was offered, held is what is owed, told is what was put."""

from typing import Final

RULES: Final[tuple[tuple[int, str, str], ...]] = (
    (
        13,
        "work is priced otherwise than the offer its vendor accepted, or than the event that made the offer says",
        """SELECT a.id FROM marketplace_assignment a JOIN marketplace_offer o ON o.id = a.offer_id
           LEFT JOIN marketplace_routingevent e ON e.subject = o.id AND e.kind = 'offer.made'
           WHERE a.price_micro <> o.price_micro
              OR (e.facts ->> 'price_micro')::bigint IS DISTINCT FROM o.price_micro""",
    ),
    (
        13,
        "open work reserves something else than its labels at its price and the fee",
        """SELECT a.id FROM marketplace_assignment a JOIN marketplace_job j ON j.id = a.job_id
           WHERE a.state IN ('reserved', 'started', 'submitted', 'rework')
             AND NOT EXISTS (SELECT FROM marketplace_settlement s WHERE s.assignment_id = a.id)
             AND a.reserved_micro <> ceil(a.n_items * a.price_micro * (10000 + j.fee_basis_points) / 10000.0)""",
    ),
    (
        13,
        "a settlement pays another price than was offered, or more labels than passed",
        """SELECT s.id FROM marketplace_settlement s JOIN marketplace_assignment a ON a.id = s.assignment_id
           WHERE s.price_micro <> a.price_micro OR s.vendor_micro <> s.n_paid * a.price_micro
              OR s.vendor_id <> a.vendor_id OR s.n_paid > (
                  SELECT count(*) FROM marketplace_annotation n
                  WHERE n.assignment_id = a.id AND n.state = 'accepted' AND n.is_current)""",
    ),
    (
        13,
        "a job commits or has spent something else than its work adds up to",
        """SELECT j.id FROM marketplace_job j
           LEFT JOIN (
               SELECT a.job_id, sum(coalesce(s.vendor_micro + s.fee_micro, a.reserved_micro)) AS committed,
                      sum(s.vendor_micro + s.fee_micro) AS spent
               FROM marketplace_assignment a LEFT JOIN marketplace_settlement s ON s.assignment_id = a.id
               GROUP BY a.job_id) w ON w.job_id = j.id
           LEFT JOIN (
               SELECT s.job_id, sum(x.vendor_micro + x.fee_micro) AS more
               FROM marketplace_settlementadjustment x JOIN marketplace_settlement s ON s.id = x.settlement_id
               WHERE x.payer = 'job' GROUP BY s.job_id) x ON x.job_id = j.id
           WHERE j.committed_micro <> coalesce(w.committed, 0) + coalesce(x.more, 0)
              OR j.spent_micro <> coalesce(w.spent, 0) + coalesce(x.more, 0)""",
    ),
    (
        13,
        "the ledger's hold of a job is not what the job holds less what is booked of its settlements",
        """SELECT j.id FROM marketplace_job j
           LEFT JOIN common_ledgeraccount h ON h.kind = 'hold' AND h.owner = j.id AND h.currency = j.currency
           LEFT JOIN (
               SELECT debit_id, sum(amount) AS paid FROM common_ledgerentry
               WHERE key LIKE 'settle/%' OR key LIKE 'adjust/%' GROUP BY debit_id) p ON p.debit_id = h.id
           WHERE coalesce(h.balance, 0) <> j.held_micro - coalesce(p.paid, 0)""",
    ),
    (
        13,
        "a settlement is booked though it is still due, booked with other amounts, or never will be",
        """SELECT s.id FROM marketplace_settlement s JOIN marketplace_job j ON j.id = s.job_id
           JOIN marketplace_assignment a ON a.id = s.assignment_id JOIN marketplace_batch b ON b.id = a.batch_id
           LEFT JOIN common_ledgerentry v ON v.key = 'settle/' || s.id || '/labels'
           LEFT JOIN common_ledgerentry f ON f.key = 'settle/' || s.id || '/fee'
           WHERE j.is_billed AND b.review <> 'open'
             AND (coalesce(v.amount, 0), coalesce(f.amount, 0))
                 <> CASE WHEN s.post_due_at IS NULL THEN (s.vendor_micro, s.fee_micro)
                         ELSE (0::bigint, 0::bigint) END""",
    ),
    (
        13,
        "an account's balance is not the sum of its entries, or the balances of a currency do not sum to 0",
        """SELECT a.kind || ' ' || coalesce(a.owner::text, '-') FROM common_ledgeraccount a LEFT JOIN (
               SELECT id, sum(amount) AS total FROM (
                   SELECT credit_id AS id, amount FROM common_ledgerentry
                   UNION ALL SELECT debit_id, -amount FROM common_ledgerentry) m GROUP BY id) m ON m.id = a.id
           WHERE a.balance <> coalesce(m.total, 0)
           UNION ALL SELECT currency FROM common_ledgeraccount GROUP BY currency HAVING sum(balance) <> 0""",
    ),
    (
        12,
        "a reminder's event has not exactly one line in the outbox, or the other way round",
        """SELECT coalesce(told.subject, put.subject) FROM (
               SELECT subject, kind, count(*) AS n FROM (
                   SELECT subject, CASE kind WHEN 'offer.reminded' THEN 'offer.reminder'
                       WHEN 'assignment.pinged' THEN 'work.not_started' ELSE 'work.deadline_near' END AS kind
                   FROM marketplace_routingevent
                   WHERE kind IN ('offer.reminded', 'assignment.pinged', 'assignment.warned')) t
               GROUP BY subject, kind) told
           FULL JOIN (
               SELECT (line ->> 'subject')::uuid AS subject, payload ->> 'kind' AS kind, count(*) AS n
               FROM common_outboxmessage, jsonb_array_elements(payload -> 'about') line
               WHERE topic = 'vendor.notice'
                 AND payload ->> 'kind' IN ('offer.reminder', 'work.not_started', 'work.deadline_near')
               GROUP BY 1, 2) put ON put.subject = told.subject AND put.kind = told.kind
           WHERE told.n IS DISTINCT FROM put.n""",
    ),
    (
        12,
        "a delivered message has no receipt, or its lines are not in the inbox exactly as often as they were put",
        """SELECT m.id FROM common_outboxmessage m
           WHERE m.topic = 'vendor.notice' AND m.delivered_at IS NOT NULL
             AND NOT EXISTS (SELECT FROM common_outboxreceipt r WHERE r.message_id = m.id)
           UNION ALL
           SELECT coalesce(put.subject, kept.subject) FROM (
               SELECT (m.payload ->> 'vendor')::uuid AS vendor_id, m.payload ->> 'kind' AS kind,
                      (line ->> 'subject')::uuid AS subject, count(*) AS n
               FROM common_outboxmessage m, jsonb_array_elements(m.payload -> 'about') line
               WHERE m.topic = 'vendor.notice'
                 AND EXISTS (SELECT FROM common_outboxreceipt r WHERE r.message_id = m.id)
               GROUP BY 1, 2, 3) put
           FULL JOIN (SELECT vendor_id, kind, subject, count(*) AS n FROM marketplace_notice GROUP BY 1, 2, 3) kept
             ON kept.vendor_id = put.vendor_id AND kept.kind = put.kind AND kept.subject = put.subject
           WHERE put.n IS DISTINCT FROM kept.n""",
    ),
    (
        12,
        "a message was given up",
        "SELECT id FROM common_outboxmessage WHERE failed_at IS NOT NULL",
    ),
)
