"""Celery entry points: one service call each, safe to run twice."""

from celery import shared_task

from common import idempotency, outbox
from common.services import sign_ins


@shared_task
def relay_outbox() -> None:
    """Deliver the side effects that are due."""
    outbox.relay()


@shared_task
def purge_idempotency() -> None:
    """Forget the answers of requests that nobody will send again, and tries to sign in that no longer count."""
    idempotency.purge()
    sign_ins.purge()
