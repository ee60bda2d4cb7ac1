"""Failed tries to sign in."""

from django.db import models

from common.models.base import BaseModel


class SignInFailure(BaseModel):
    """A failed try, counted for the account that was named and for the address it came from (as SHA-256)."""

    public_prefix = "sif"

    subject = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["subject", "created_at"], name="sign_in_failure_by_subject")]
