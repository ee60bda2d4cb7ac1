"""Blind tests on records with known labels."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from common.models import BaseModel
from vendors.models.capabilities import Capability


class GoldSet(BaseModel):
    """The platform's trusted records for one kind of work."""

    public_prefix = "gst"

    task_type = models.CharField(max_length=32)
    modality = models.CharField(max_length=32)
    language = models.CharField(max_length=16, default="", blank=True)
    domain = models.CharField(max_length=64, default="", blank=True)
    classes = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    rules = models.JSONField(default=dict)
    n_records_per_attempt = models.PositiveIntegerField(default=40)
    floor = models.FloatField(default=0.85)
    fee_micro = models.PositiveBigIntegerField(default=0)
    fee_currency = models.CharField(max_length=3, default="USD")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(floor__gt=0, floor__lt=1), name="gold_set_floor_is_ratio"),
            models.UniqueConstraint(fields=["task_type", "modality", "language", "domain"], name="gold_set_once"),
        ]


class GoldItem(BaseModel):
    """A record and its known label: an index into the classes, or 0 with a value; -1 = cannot be labeled."""

    public_prefix = "gld"

    gold_set = models.ForeignKey(GoldSet, on_delete=models.CASCADE, related_name="items")
    key = models.CharField(max_length=200)
    uri = models.CharField(max_length=2000, default="", blank=True)
    metadata = models.JSONField(default=dict)
    label = models.SmallIntegerField()
    value = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gold_set", "key"], name="gold_item_once")]


class QualificationAttempt(BaseModel):
    """One try at a capability; judged by the lower 90 % Beta bound against the floor.

    ``fee_micro`` is what the platform owes for the work of the test, passed or not, when at least half of the records
    were answered; it is due from ``fee_due_at`` on, None when it is not due or is booked.
    """

    public_prefix = "qua"

    class State(models.TextChoices):
        """Open until the answers are in."""

        OPEN = "open"
        PASSED = "passed"
        FAILED = "failed"

    capability = models.ForeignKey(Capability, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    n_correct = models.PositiveIntegerField(null=True)
    lower_bound = models.FloatField(null=True)
    floor = models.FloatField()
    decided_at = models.DateTimeField(null=True)
    fee_micro = models.PositiveBigIntegerField(default=0)
    fee_currency = models.CharField(max_length=3, default="USD")
    fee_due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["capability", "number"], name="attempt_number_once"),
            models.UniqueConstraint(fields=["capability"], condition=Q(state="open"), name="attempt_one_open"),
        ]
        indexes = [models.Index(fields=["fee_due_at"], name="attempt_fee_due", condition=Q(fee_due_at__isnull=False))]


class QualificationItem(BaseModel):
    """A record shown in an attempt, and the answer given: class index, or the value and how it compared."""

    public_prefix = "qui"

    attempt = models.ForeignKey(QualificationAttempt, on_delete=models.CASCADE, related_name="items")
    gold_item = models.ForeignKey(GoldItem, on_delete=models.PROTECT, related_name="+")
    answer = models.SmallIntegerField(null=True)
    value = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["attempt", "gold_item"], name="qualification_item_once")]
