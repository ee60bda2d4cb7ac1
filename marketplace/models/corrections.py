"""Second looks: reviews, disputes, and the corrections that follow. Nothing is rewritten without a row that says so."""

from django.db import models
from django.db.models import Q

from common.models import BaseModel
from marketplace.models.annotations import Annotation, Settlement, Verdict
from marketplace.models.batches import Assignment
from marketplace.models.jobs import GoldRecord, Job, JobRecord
from vendors.models import Vendor


class Review(BaseModel):
    """A decided record drawn for a person to look at; ``chance`` is that with which it was drawn (its weight is 1/it).

    ``pool_size`` records could have been drawn together with it, in the drawing of this number. Drawing 0 holds records
    that were not drawn but called for, by a rule or because a model says something else (``cause``); they may be called
    for before they are decided, and tell nothing about the accuracy of all records.
    """

    class Cause(models.TextChoices):
        """Why a record is looked at."""

        DRAWN = "drawn"
        RULE = "rule"
        MODEL = "model"

    public_prefix = "rev"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="reviews")
    record = models.ForeignKey(JobRecord, on_delete=models.CASCADE, related_name="reviews")
    drawing = models.PositiveIntegerField()
    chance = models.FloatField()
    pool_size = models.PositiveIntegerField()
    cause = models.CharField(max_length=8, choices=Cause.choices, default=Cause.DRAWN)
    why = models.TextField(default="", blank=True)
    is_right = models.BooleanField(null=True)
    note = models.TextField(default="", blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "drawing", "record"], name="review_once_per_drawing"),
            models.CheckConstraint(condition=Q(chance__gt=0, chance__lte=1), name="review_chance_is_ratio"),
            models.CheckConstraint(
                condition=Q(cause="drawn", drawing__gte=1) | (~Q(cause="drawn") & Q(drawing=0)),
                name="review_drawn_or_called_for",
            ),
            models.CheckConstraint(
                condition=Q(is_right__isnull=True, decided_at__isnull=True)
                | Q(is_right__isnull=False, decided_at__isnull=False),
                name="review_decided_whole",
            ),
        ]
        indexes = [models.Index(fields=["job", "-id"], name="review_by_job")]


class Dispute(BaseModel):
    """A vendor's objection to rejected answers of a piece of work, or to a verdict on all of it."""

    public_prefix = "dsp"

    class State(models.TextChoices):
        """Where it stands; all but open are final."""

        OPEN = "open"
        UPHELD = "upheld"
        PARTLY_UPHELD = "partly_upheld"
        REFUSED = "refused"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="disputes")
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="disputes")
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="disputes")
    verdict = models.ForeignKey(Verdict, on_delete=models.CASCADE, null=True, related_name="disputes")
    text = models.TextField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["verdict"], name="dispute_verdict_once"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True) | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="dispute_decided_whole",
            ),
        ]
        indexes = [models.Index(fields=["vendor", "-id"], name="dispute_by_vendor")]


class Adjudication(BaseModel):
    """One disputed answer, labeled anew by somebody who sees neither whose answers there are nor which is disputed.

    By staff, or by the vendor it was handed to, which neither disputes it nor answered the record; deciding it, that
    vendor has earned ``fee_micro`` of the platform, due from ``fee_due_at`` on (None when it is not due or is booked).
    """

    public_prefix = "adj"

    dispute = models.ForeignKey(Dispute, on_delete=models.CASCADE, related_name="adjudications")
    annotation = models.OneToOneField(Annotation, on_delete=models.CASCADE, related_name="adjudication")
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, null=True, related_name="adjudications")
    handed_at = models.DateTimeField(null=True)
    label = models.SmallIntegerField(null=True)
    value = models.JSONField(null=True)
    note = models.TextField(default="", blank=True)
    is_upheld = models.BooleanField(null=True)
    decided_at = models.DateTimeField(null=True)
    fee_micro = models.PositiveBigIntegerField(default=0)
    fee_currency = models.CharField(max_length=3, default="USD")
    fee_due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_upheld__isnull=True, decided_at__isnull=True, label__isnull=True)
                | Q(is_upheld__isnull=False, decided_at__isnull=False, label__isnull=False),
                name="adjudication_decided_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["vendor", "id"], name="adjudication_of_vendor", condition=Q(decided_at__isnull=True)),
            models.Index(fields=["id"], name="adjudication_open", condition=Q(decided_at__isnull=True)),
            models.Index(fields=["fee_due_at"], name="adjudication_fee_due", condition=Q(fee_due_at__isnull=False)),
        ]


class Correction(BaseModel):
    """A label of a record or of a gold record that was changed after it was decided: from what, to what, why."""

    public_prefix = "cor"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="corrections")
    record = models.ForeignKey(JobRecord, on_delete=models.CASCADE, null=True, related_name="corrections")
    gold = models.ForeignKey(GoldRecord, on_delete=models.CASCADE, null=True, related_name="corrections")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, null=True, related_name="corrections")
    adjudication = models.ForeignKey(Adjudication, on_delete=models.PROTECT, null=True, related_name="corrections")
    old_label = models.SmallIntegerField(null=True)
    old_value = models.JSONField(null=True)
    old_confidence = models.FloatField(null=True)
    new_label = models.SmallIntegerField()
    new_value = models.JSONField(null=True)
    new_confidence = models.FloatField(null=True)
    reason = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(record__isnull=True, gold__isnull=False) | Q(record__isnull=False, gold__isnull=True),
                name="correction_is_of_record_or_gold",
            ),
            models.CheckConstraint(
                condition=Q(review__isnull=True, adjudication__isnull=False)
                | Q(review__isnull=False, adjudication__isnull=True),
                name="correction_has_one_cause",
            ),
        ]
        indexes = [models.Index(fields=["job", "-id"], name="correction_by_job")]


class SettlementAdjustment(BaseModel):
    """What a correction adds to a settlement: answers refused before that are right. It takes nothing back.

    The job pays while its budget lasts, else the platform does: no customer pays more than it agreed to.
    """

    public_prefix = "sta"

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="adjustments")
    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, null=True, related_name="adjustments")
    adjudication = models.ForeignKey(Adjudication, on_delete=models.PROTECT, null=True, related_name="adjustments")
    annotation = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="adjustment")
    payer = models.CharField(max_length=8, choices=[("job", "job"), ("platform", "platform")])
    vendor_micro = models.PositiveBigIntegerField()
    fee_micro = models.PositiveBigIntegerField()
    post_due_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["post_due_at"], name="adjustment_due", condition=Q(post_due_at__isnull=False)),
        ]


class Clawback(BaseModel):
    """Labels of a settlement whose pay was taken back, as the work broke the terms; reversed at the platform's cost."""

    public_prefix = "clw"

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="clawbacks")
    n_labels = models.PositiveIntegerField()
    vendor_micro = models.PositiveBigIntegerField()
    fee_micro = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=500)
    reversed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(n_labels__gt=0), name="clawback_of_labels")]
