"""Who did what: append-only, guarded by a trigger."""

from django.db import models

from common.models.base import BaseModel


class AuditEvent(BaseModel):
    """One action of an actor; never changed or removed (a trigger refuses it)."""

    public_prefix = "aud"

    organization_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField(null=True)
    action = models.CharField(max_length=80)
    target = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["organization_id", "-created_at"], name="audit_by_organization")]
