"""Side effects leave through here: written with the change that causes them, delivered at least once."""

from django.db import models
from django.db.models.functions import Now

from common.models.base import BaseModel


class OutboxMessage(BaseModel):
    """A side effect to carry out; delivered when ``delivered_at`` is set, given up when ``failed_at`` is."""

    public_prefix = "obx"

    topic = models.CharField(max_length=80)
    payload = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="outbox_due",
                condition=models.Q(delivered_at__isnull=True, failed_at__isnull=True),
            )
        ]


class OutboxReceipt(BaseModel):
    """Proof that a consumer has carried out a message, so that a second delivery does nothing."""

    public_prefix = "obr"

    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, related_name="receipts")
    consumer = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "consumer"], name="outbox_receipt_once")]
