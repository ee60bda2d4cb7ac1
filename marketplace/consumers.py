"""Side effects of the market that stay in our own database."""

import uuid
from typing import Any

from common import outbox
from marketplace.models import Notice


@outbox.consumer("vendor.notice", local=True)
def keep_notice(message: outbox.Delivery) -> None:
    """Put what a vendor is told into its inbox; in one transaction with the receipt, so exactly once."""
    _keep(message.payload, vendor_id=uuid.UUID(message.payload["vendor"]))


@outbox.consumer("customer.notice", local=True)
def keep_customer_notice(message: outbox.Delivery) -> None:
    """Put what a customer is told where all its members see it; exactly once, as above."""
    _keep(message.payload, customer_id=uuid.UUID(message.payload["customer"]))


def _keep(given: dict[str, Any], **whose: uuid.UUID) -> None:
    Notice.objects.bulk_create(
        Notice(**whose, kind=given["kind"], subject=uuid.UUID(about["subject"]), facts=about["facts"])
        for about in given["about"]
    )
