"""The sweeper as a loop of its own, which needs no broker."""

import logging
import signal
import threading
import time
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connection

from marketplace.services import campaigns, money_flows, nudges, sweeper, vetting

EVERY_S: Final = 0.5
FULL_SWEEP_S: Final = 10.0
"""How often a tick sweeps even where nothing urgent is due, seconds."""

logger = logging.getLogger(__name__)
INLINE: dict[str, Callable[[uuid.UUID], None]] = {
    "marketplace.tasks.vet_lot": lambda lot_id: vetting.vet_lot(lot_id=lot_id),
    "marketplace.tasks.run_money_op": lambda op_id: money_flows.run_op(op_id=op_id),
    "marketplace.tasks.act_on_provider_event": lambda event_id: money_flows.act_on(event_id=event_id),
    "marketplace.tasks.advance_campaign": lambda campaign_id: campaigns.advance(campaign_id=campaign_id),
}


class Command(BaseCommand):
    """Sweep every so often; give heavier work to the workers, or do it here while the broker is away."""

    help = "Run the sweeper in a loop (safe beside any number of others and beside Celery beat)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--every", type=float, default=EVERY_S, help="seconds between sweeps")
        parser.add_argument("--once", action="store_true", help="sweep once and stop")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Loop until told to stop."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        full_at = time.monotonic()
        with ThreadPoolExecutor(max_workers=1) as executor:
            while not stop.is_set():
                is_full = time.monotonic() >= full_at
                if is_full:
                    full_at = time.monotonic() + FULL_SWEEP_S
                is_behind = self._tick(executor, is_full=is_full)
                if options["once"]:
                    break
                if not is_behind:
                    stop.wait(options["every"])

    def _tick(self, executor: ThreadPoolExecutor, *, is_full: bool) -> bool:
        """Sweep where something is due, or in full; return whether more is left."""
        try:
            close_old_connections()
            if not is_full and not sweeper.is_due():
                return False
            done = sweeper.sweep()
            sweeper.dispatch_due(lambda task, identifier: self._dispatch(executor, task, identifier))
        except DatabaseError:
            logger.exception("the sweep failed; trying again at the next tick")
            connection.close()
            return False
        return done.is_behind

    def _dispatch(self, executor: ThreadPoolExecutor, task: str, identifier: uuid.UUID) -> None:
        if not nudges.send(task, str(identifier)):
            executor.submit(_run_here, task, identifier)


def _run_here(task: str, identifier: uuid.UUID) -> None:
    try:
        INLINE[task](identifier)
    except Exception:
        logger.exception("%s for %s failed; its lease runs out and it is tried again", task, identifier)
    finally:
        connection.close()
