"""What comes back: annotations, verdicts, settlements; and the event feed."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from common.models import BaseModel
from marketplace.core import states
from marketplace.models.batches import Assignment, Batch, BatchItem
from marketplace.models.jobs import GoldRecord, InstructionVersion, Job, JobRecord, Lot
from vendors.models import Vendor


class Annotation(BaseModel):
    """One answer on one record: a class index, or -1 with a reason. A later answer replaces it; history is kept.

    Task types without a class index have 0 there and the answer, in the canonical form of its check, in ``value``.
    """

    public_prefix = "ann"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="annotations")
    item = models.ForeignKey(BatchItem, on_delete=models.CASCADE, related_name="annotations")
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="annotations")
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="+")
    record = models.ForeignKey(JobRecord, on_delete=models.CASCADE, null=True, related_name="annotations")
    gold = models.ForeignKey(GoldRecord, on_delete=models.CASCADE, null=True, related_name="annotations")
    instruction = models.ForeignKey(InstructionVersion, on_delete=models.PROTECT, related_name="+")
    annotator = models.CharField(max_length=100, default="", blank=True)
    label = models.SmallIntegerField()
    value = models.JSONField(null=True)
    reason = models.CharField(max_length=32, default="", blank=True)
    seconds = models.FloatField(null=True)
    state = models.CharField(
        max_length=16, choices=states.choices_of(states.AnnotationState), default=states.AnnotationState.PENDING
    )
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(is_current=True), name="annotation_current_once"),
            models.UniqueConstraint(
                fields=["record", "vendor"], condition=Q(is_current=True), name="annotation_vendor_once"
            ),
        ]
        indexes = [
            models.Index(fields=["job"], name="annotation_current", condition=Q(is_current=True)),
            models.Index(
                fields=["job", "vendor", "annotator", "-id"],
                name="annotation_by_annotator",
                condition=Q(is_current=True, record__isnull=False),
            ),
            models.Index(
                fields=["job", "vendor", "annotator", "-id"],
                name="annotation_gold_by_annotator",
                condition=Q(is_current=True, record__isnull=True),
            ),
        ]


class Verdict(BaseModel):
    """A decision on delivered work with its evidence; later ones replace earlier ones, none is changed."""

    public_prefix = "vdt"

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="verdicts")
    outcome = models.CharField(max_length=16)
    error_estimate = models.FloatField()
    error_low = models.FloatField()
    error_high = models.FloatField()
    reasons = models.JSONField(default=list)
    words = models.TextField()


class Settlement(BaseModel):
    """What an assignment earned: the labels that passed at the price of the accepted offer; once each.

    ``post_due_at`` is set while the ledger owes it: money moves in a short transaction of its own.
    """

    public_prefix = "stl"

    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="settlement")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="settlements")
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="settlements")
    n_paid = models.PositiveIntegerField()
    price_micro = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    vendor_micro = models.PositiveBigIntegerField()
    fee_micro = models.PositiveBigIntegerField()
    post_due_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["post_due_at"], name="settlement_due", condition=models.Q(post_due_at__isnull=False)),
            models.Index(fields=["vendor", "-id"], name="settlement_by_vendor"),
        ]


class RoutingEvent(models.Model):
    """What happened in the market, in order; append-only (a trigger refuses change). State = fold(events).

    Written with rows that the same transaction has locked, so the references are not checked once more.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(db_default=Now())
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events", db_index=False, db_constraint=False)
    lot = models.ForeignKey(
        Lot, on_delete=models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, null=True, related_name="events", db_index=False, db_constraint=False
    )
    vendor = models.ForeignKey(
        Vendor, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=40)
    subject = models.UUIDField(null=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["job", "id"], name="event_by_job"),
            models.Index(fields=["batch", "id"], name="event_by_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"
