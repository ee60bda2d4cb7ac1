"""Side effects of the market that stay in our own database."""

import uuid

from common import outbox
from marketplace.models import Notice


@outbox.consumer("vendor.notice", local=True)
def keep_notice(message: outbox.Delivery) -> None:
    """Put what a vendor is told into its inbox; in one transaction with the receipt, so exactly once."""
    given = message.payload
    Notice.objects.bulk_create(
        Notice(
            vendor_id=uuid.UUID(given["vendor"]),
            kind=given["kind"],
            subject=uuid.UUID(about["subject"]),
            facts=about["facts"],
        )
        for about in given["about"]
    )
