"""Hints to the workers that there is something to do.

A nudge is never needed: whatever it announces stands in a column the sweeper looks at. It only saves waiting.
"""

import logging
import uuid
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def _send(task: str, *arguments: Any) -> bool:
    try:
        current_app.send_task(task, args=arguments, retry=False)
    except (OperationalError, OSError) as error:
        # The broker is away: the sweeper finds the work by itself.
        logger.warning("nudge %s was not sent: %s", task, type(error).__name__)
        return False
    return True


def _after_commit(task: str, *arguments: Any) -> None:
    transaction.on_commit(lambda: _send(task, *arguments))


def sweep_soon() -> None:
    """Ask for a sweep once the change is committed."""
    _after_commit("marketplace.tasks.sweep")


def vet_soon(lot_id: uuid.UUID) -> None:
    """Ask for a lot to be vetted once the change is committed."""
    _after_commit("marketplace.tasks.vet_lot", str(lot_id))


def advance_campaign_soon(campaign_id: uuid.UUID) -> None:
    """Ask for a campaign's next step once the change is committed."""
    _after_commit("marketplace.tasks.advance_campaign", str(campaign_id))


def send(task: str, *arguments: Any) -> bool:
    """Publish now; return False when the broker is away, so that the caller can do the work itself."""
    return _send(task, *arguments)
