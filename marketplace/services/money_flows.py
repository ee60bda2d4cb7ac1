"""How money moves through the provider, and what wakes it: timers, webhooks, the provider's own list."""

import datetime
import logging
import uuid
from collections.abc import Mapping
from typing import Final

from django.db.models import Max

from common import money_ops, payments
from common.clock import Now, database_now
from common.models import MoneyOp, ProviderEvent
from common.money_ops import Flow
from common.payment_types import BusyError, Event, UnknownOutcomeError
from marketplace.services import card_holds, disputed_payments, failed_refunds, payouts, returned_payouts, wallets

FLOWS: Final[Mapping[str, Flow]] = {
    MoneyOp.Kind.TOP_UP: wallets.TOP_UP,
    MoneyOp.Kind.REFUND: wallets.REFUND,
    MoneyOp.Kind.CARD_HOLD: card_holds.CARD_HOLD,
    MoneyOp.Kind.PAYOUT: payouts.PAYOUT,
}
logger = logging.getLogger(__name__)
_WAIT: Final = datetime.timedelta(seconds=60)
_OVERLAP_S: Final = 300
"""Events may come into the provider's list a little after their time."""
_FIRST_LOOK: Final = datetime.timedelta(days=1)


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
    """Ask the provider what webhooks may have lost since it was last asked; return how many were new.

    Where to go on is told by the list itself and the provider's clock: events that webhooks brought meanwhile say
    nothing of those they lost.
    """
    last_s = ProviderEvent.objects.aggregate(at=Max("listed_at_s"))["at"]
    since_s = last_s - _OVERLAP_S if last_s else int((database_now() - _FIRST_LOOK).timestamp())
    events = payments.events_since(since_s)
    known = set(
        ProviderEvent.objects.filter(provider_id__in=[e.id for e in events]).values_list("provider_id", flat=True)
    )
    ProviderEvent.objects.bulk_create(
        [
            ProviderEvent(provider_id=e.id, kind=e.kind, object_id=e.object_id, facts=e.facts, listed_at_s=e.created_s)
            for e in events
        ],
        update_conflicts=True,
        unique_fields=["provider_id"],
        update_fields=["listed_at_s"],
    )
    return sum(e.id not in known for e in events)
