"""Amounts held on a customer's card for one job."""

from django.db import models
from django.db.models import Q

from common.models import BaseModel, MoneyOp
from marketplace.models.jobs import Job


class CardHold(BaseModel):
    """An amount held on a card, for a job that is paid that way: taken in part when the job has ended, or freed.

    ``is_open`` until it is decided what is taken. A hold that runs out while its job goes on is renewed by another.
    """

    public_prefix = "chd"

    op = models.OneToOneField(MoneyOp, on_delete=models.PROTECT, related_name="card_hold")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="card_holds")
    renews = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="renewal")
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job"], condition=Q(is_open=True), name="card_hold_one_open")]
        indexes = [models.Index(fields=["id"], name="card_hold_open", condition=Q(is_open=True))]
