"""Totals of the whole market, for the status page: numbers only, nothing of any customer or vendor."""

import datetime
import json
from dataclasses import dataclass

from django.db import connection

from marketplace.core.states import BatchState, CampaignState, OfferState

_TOTALS = """
SELECT
    (SELECT jsonb_object_agg(state, n) FROM (SELECT state, count(*) n FROM marketplace_batch GROUP BY state) b),
    (SELECT jsonb_object_agg(state, n) FROM (SELECT state, count(*) n FROM marketplace_offer GROUP BY state) o),
    (SELECT jsonb_object_agg(state, n) FROM (SELECT state, count(*) n FROM marketplace_campaign GROUP BY state) c),
    (SELECT jsonb_object_agg(state, n) FROM (SELECT state, count(*) n FROM vendors_vendor GROUP BY state) v),
    (SELECT count(*) FROM marketplace_annotation WHERE is_current),
    (SELECT count(*) FROM marketplace_jobrecord WHERE state <> 'open'),
    (SELECT count(*) FROM marketplace_offer WHERE state = 'live' AND expires_at <= statement_timestamp()),
    (SELECT count(*) FROM common_outboxmessage WHERE delivered_at IS NULL AND failed_at IS NULL),
    statement_timestamp()
"""
_RECENT = "SELECT kind, created_at FROM marketplace_routingevent ORDER BY id DESC LIMIT 25"


@dataclass(frozen=True, slots=True)
class Event:
    """One of the latest events: its kind and time."""

    kind: str
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Status:
    """Totals at one moment; ``n_overdue_offers`` above 0 for seconds means that no sweeper runs."""

    batches: dict[str, int]
    offers: dict[str, int]
    campaigns: dict[str, int]
    vendors: dict[str, int]
    n_annotations: int
    n_decided: int
    n_overdue_offers: int
    n_outbox: int
    at: datetime.datetime
    recent: list[Event]


def current() -> Status:
    """Return the totals now, in two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        *groups, n_annotations, n_decided, n_overdue, n_outbox, at = cursor.fetchone()
        batches, offers, campaigns, vendors = (json.loads(group or "{}") for group in groups)
        cursor.execute(_RECENT)
        recent = [Event(kind, moment) for kind, moment in cursor.fetchall()]
    return Status(
        {state: batches.get(state, 0) for state in BatchState},
        {state: offers.get(state, 0) for state in OfferState},
        {state: campaigns.get(state, 0) for state in CampaignState},
        vendors,
        n_annotations,
        n_decided,
        n_overdue,
        n_outbox,
        at,
        recent,
    )
