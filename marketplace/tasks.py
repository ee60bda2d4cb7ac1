"""Celery entry points: ids in, one service call each, safe to run twice."""

import uuid

from celery import shared_task

from marketplace.services import campaigns, nudges, sweeper, vetting


@shared_task
def sweep() -> None:
    """Do what is due now, and hand out the heavier work."""
    sweeper.sweep()
    sweeper.dispatch_due(lambda task, identifier: nudges.send(task, str(identifier)))


@shared_task
def vet_lot(lot_id: str) -> None:
    """Vet what has been delivered of a lot."""
    vetting.vet_lot(lot_id=uuid.UUID(lot_id))


@shared_task
def advance_campaign(campaign_id: str) -> None:
    """Take a campaign's next steps."""
    campaigns.advance(campaign_id=uuid.UUID(campaign_id))
