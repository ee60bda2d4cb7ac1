"""How money moves through the provider, and what wakes it: timers, webhooks, the provider's own list."""

import datetime
import logging
import uuid
from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.db.models import Max

from common import money_ops, payments
from common.clock import Now, database_now
from common.models import MoneyOp, ProviderEvent
from common.money_ops import Flow
from common.payment_types import BusyError, Event, UnknownOutcomeError
from marketplace.services import disputed_payments, failed_refunds, payouts, returned_payouts, wallets

FLOWS: Final[Mapping[str, Flow]] = {
    MoneyOp.Kind.TOP_UP: wallets.TOP_UP,
    MoneyOp.Kind.REFUND: wallets.REFUND,
    MoneyOp.Kind.PAYOUT: payouts.PAYOUT,
}
logger = logging.getLogger(__name__)
_WAIT: Final = datetime.timedelta(seconds=60)
_OVERLAP: Final = datetime.timedelta(hours=1)


def run_op(*, op_id: uuid.UUID) -> None:
    """Take one operation as far as it goes now; safe to run twice and at once."""
    money_ops.run(op_id=op_id, flows=FLOWS)


def take_in(event: Event) -> bool:
    """Keep an event the provider told of; return whether it is new. Replays and reordering change nothing."""
    _, is_new = ProviderEvent.objects.get_or_create(
        provider_id=event.id, defaults={"kind": event.kind, "object_id": event.object_id, "facts": event.facts}
    )
    return is_new


def act_on(*, event_id: uuid.UUID) -> None:
    """Act on a kept event by fetching what it names anew: what the event itself says is never trusted."""
    event = ProviderEvent.objects.get(pk=event_id)
    if event.due_at is None:
        return
    try:
        _act(event)
    except (BusyError, UnknownOutcomeError) as error:
        logger.warning("event %s waits: %s", event.public_id, error)
        ProviderEvent.objects.filter(pk=event.pk).update(due_at=database_now() + _WAIT)
        return
    ProviderEvent.objects.filter(pk=event.pk).update(due_at=None)


def _act(event: ProviderEvent) -> None:
    if event.kind.startswith("payment_intent."):
        _look_at(event.object_id)
    elif event.kind == "account.updated":
        payouts.refresh_account(event.object_id)
    elif event.kind.startswith("charge.dispute."):
        disputed_payments.refresh(str(event.facts.get("payment_intent", "")))
    elif event.kind == "transfer.reversed":
        returned_payouts.refresh(event.object_id)
    elif event.kind == "payout.failed":
        returned_payouts.bank_refused(str(event.facts.get("account", "")))
    elif event.kind in {"refund.failed", "refund.updated"}:
        failed_refunds.refresh(event.object_id)


def _look_at(payment_id: str) -> None:
    for op in MoneyOp.objects.filter(provider_id=payment_id, next_attempt_at__isnull=False):
        MoneyOp.objects.filter(pk=op.pk).update(next_attempt_at=Now())


def catch_up() -> int:
    """Ask the provider what webhooks may have lost since the last event kept; return how many were new."""
    newest = ProviderEvent.objects.aggregate(at=Max("created_at"))["at"]
    since = (newest or database_now() - datetime.timedelta(days=1)) - _OVERLAP
    with transaction.atomic():
        return sum(take_in(event) for event in payments.events_since(int(since.timestamp())))
