"""The base of every model."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from common.ids import to_public, uuid7


class BaseModel(models.Model):
    """A row with a time-ordered id and the time it was made."""

    public_prefix: ClassVar[str] = "row"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """The id as the outside sees it."""
        identifier: uuid.UUID = self.pk
        return to_public(self.public_prefix, identifier)
