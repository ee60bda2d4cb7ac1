"""Celery entry points: ids in, one service call each, safe to run twice."""

import logging
import uuid

from celery import shared_task

from marketplace.services import (
    campaigns,
    card_holds,
    money_flows,
    nudges,
    payouts,
    rebuilding,
    reconciliation,
    statements,
    sweeper,
    vetting,
)

logger = logging.getLogger(__name__)


@shared_task
def sweep() -> None:
    """Do what is due now, and hand out the heavier work."""
    while sweeper.sweep().is_behind:
        pass
    sweeper.dispatch_due(lambda task, identifier: nudges.send(task, str(identifier)))


@shared_task
def vet_lot(lot_id: str) -> None:
    """Vet what has been delivered of a lot."""
    vetting.vet_lot(lot_id=uuid.UUID(lot_id))


@shared_task
def advance_campaign(campaign_id: str) -> None:
    """Take a campaign's next steps."""
    campaigns.advance(campaign_id=uuid.UUID(campaign_id))


@shared_task
def run_money_op(op_id: str) -> None:
    """Take a money operation as far as it goes now."""
    money_flows.run_op(op_id=uuid.UUID(op_id))


@shared_task
def act_on_provider_event(event_id: str) -> None:
    """Act on something the payment provider told us."""
    money_flows.act_on(event_id=uuid.UUID(event_id))


@shared_task
def catch_up_with_provider() -> None:
    """Fetch the events that webhooks lost."""
    money_flows.catch_up()


@shared_task
def pay_out() -> None:
    """Plan the transfers to vendors."""
    payouts.pay_out_due()


@shared_task
def mind_card_holds() -> None:
    """Renew amounts held on cards, take them when their jobs have ended, free those nobody uses."""
    card_holds.mind()


@shared_task
def check_posteriors() -> None:
    """Hold what is believed of vendors against the events; a difference is an error for somebody to look at."""
    for one in rebuilding.run():
        logger.error("posterior %s of %s is not what its events tell: %s", one.metric, one.capability_id, one)


@shared_task
def reconcile() -> None:
    """Compare our books with the payment provider's."""
    reconciliation.reconcile()


@shared_task
def issue_statements() -> None:
    """Close last month: invoices for customers, statements for vendors."""
    statements.issue_due()
