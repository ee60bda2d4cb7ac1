"""Qualification attempts as the vendor may see them: the records, never their labels."""

import uuid

from django.db.models import Prefetch

from common.actors import Actor
from common.errors import NotFoundError
from vendors.models import QualificationAttempt, QualificationItem
from vendors.selectors import vendors


def attempt(actor: Actor, attempt_id: uuid.UUID) -> QualificationAttempt:
    """Return an attempt of the actor's vendor with its records in a stable order, or raise NotFoundError."""
    items = QualificationItem.objects.select_related("gold_item__gold_set").order_by("pk")
    row = (
        QualificationAttempt.objects.filter(capability__vendor=vendors.own(actor), pk=attempt_id)
        .prefetch_related(Prefetch("items", queryset=items))
        .first()
    )
    if row is None:
        raise NotFoundError("There is no such attempt.")
    return row
