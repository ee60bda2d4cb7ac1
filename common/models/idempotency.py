"""HTTP writes that may be sent twice."""

from django.db import models

from common.models.base import BaseModel


class IdempotencyRecord(BaseModel):
    """The one answer to all requests with the same key, route and organization."""

    public_prefix = "idm"

    organization_id = models.UUIDField()
    key = models.CharField(max_length=255)
    route = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    lease_until = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "route", "key"], name="idempotency_key_once"),
        ]
