"""Waking the campaign that waits for a lot; apart from `campaigns`, so that labels alone need no curation."""

import uuid

from common.clock import Now
from marketplace.models import Campaign
from marketplace.services import nudges


def for_lot(lot_id: uuid.UUID) -> None:
    """Let the campaign look again now, inside the transaction that closes its lot."""
    for campaign_id in Campaign.objects.filter(lot_id=lot_id).values_list("pk", flat=True):
        Campaign.objects.filter(pk=campaign_id).update(next_check_at=Now())
        nudges.advance_campaign_soon(campaign_id)
