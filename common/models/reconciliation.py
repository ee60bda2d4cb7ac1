"""Our books beside the payment provider's: each comparison, and each difference it found."""

from django.db import models
from django.db.models import F, Q

from common.models.base import BaseModel


class ReconciliationRun(BaseModel):
    """One comparison of our books with the provider's; ``judged_from`` is the time from which both were judged."""

    public_prefix = "rcn"

    judged_from = models.DateTimeField()
    n_theirs = models.PositiveIntegerField()
    n_ours = models.PositiveIntegerField()
    n_differences = models.PositiveIntegerField()
    n_new = models.PositiveIntegerField()
    book_problems = models.JSONField(default=list)


class ReconciliationDifference(BaseModel):
    """A reference on which both sides differ, one row for each currency of it.

    ``suspense_micro`` is what stands in suspense for it; it goes back to 0 when both sides agree (``resolved_at``).
    """

    public_prefix = "dif"

    kind = models.CharField(max_length=16)
    reference = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    theirs_micro = models.BigIntegerField()
    ours_micro = models.BigIntegerField()
    suspense_micro = models.BigIntegerField(default=0)
    n_moves = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference", "currency"], name="difference_once"),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True) | Q(suspense_micro=0), name="difference_resolved_is_settled"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=False) | Q(suspense_micro=F("theirs_micro") - F("ours_micro")),
                name="difference_open_stands_in_suspense",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="difference_open", condition=Q(resolved_at__isnull=True)),
        ]
