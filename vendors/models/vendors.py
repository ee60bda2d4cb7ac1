"""A vendor, what it has signed, and how much it can take."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.models import BaseModel, Organization


class Vendor(BaseModel):
    """A labeling provider; one per vendor organization. ``private_to`` makes it one customer's own."""

    public_prefix = "ven"

    class State(models.TextChoices):
        """Onboarding and standing; transitions are in ``vendors.core.states``."""

        DRAFT = "draft"
        SUBMITTED = "submitted"
        IN_REVIEW = "in_review"
        CHANGES_REQUESTED = "changes_requested"
        QUALIFYING = "qualifying"
        PROBATION = "probation"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        REJECTED = "rejected"
        CLOSED = "closed"

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="vendor")
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    state_reason = models.TextField(default="", blank=True)
    suspended_until = models.DateTimeField(null=True)
    languages = ArrayField(models.CharField(max_length=16), default=list)
    regions = ArrayField(models.CharField(max_length=16), default=list)
    private_to = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="private_vendors")
    n_batches_done = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft", "submitted", "in_review", "changes_requested", "qualifying",
                        "probation", "active", "suspended", "rejected", "closed",
                    ]
                ),
                name="vendor_state_known",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["state"], name="vendor_by_state")]


class CapacityWindow(BaseModel):
    """How much a vendor takes at once and a day; ``0 <= in_flight <= slots`` always.

    ``n_taken`` counts the records accepted on the local day ``taken_on``. A vendor that keeps hours is open from
    ``open_from`` to ``open_until``: the stretch it is in or that comes next, null when none is laid out.
    """

    public_prefix = "cap"

    vendor = models.OneToOneField(Vendor, on_delete=models.CASCADE, related_name="capacity")
    slots = models.PositiveIntegerField(default=1)
    in_flight = models.PositiveIntegerField(default=0)
    is_accepting = models.BooleanField(default=True)
    paused_until = models.DateTimeField(null=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    daily_limit = models.PositiveIntegerField(null=True)
    taken_on = models.DateField(null=True)
    n_taken = models.PositiveIntegerField(default=0)
    keeps_hours = models.BooleanField(default=False)
    open_from = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(in_flight__gte=0, in_flight__lte=F("slots")), name="capacity_kept"),
            models.CheckConstraint(
                condition=Q(daily_limit__isnull=True) | Q(daily_limit__gt=0), name="capacity_daily_positive"
            ),
            models.CheckConstraint(
                condition=Q(keeps_hours=True) | Q(open_from__isnull=True, open_until__isnull=True),
                name="capacity_open_by_hours",
            ),
        ]
        indexes = [
            models.Index(fields=["open_until"], name="capacity_open_due", condition=Q(open_until__isnull=False)),
        ]


class VendorAgreement(BaseModel):
    """A signed version of the terms: windows, minimum batch, speed promised. The newest one counts."""

    public_prefix = "agr"

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="agreements")
    version = models.PositiveIntegerField()
    accept_window_cost_s = models.PositiveIntegerField()
    accept_window_speed_s = models.PositiveIntegerField()
    accept_window_accuracy_s = models.PositiveIntegerField()
    min_batch = models.PositiveIntegerField()
    max_concurrent = models.PositiveIntegerField()
    start_window_s = models.PositiveIntegerField()
    start_grace_s = models.PositiveIntegerField(default=900)
    base_s = models.PositiveIntegerField()
    seconds_per_label = models.FloatField()
    signed_by = models.CharField(max_length=200)
    terms_hash = models.CharField(max_length=64, default="", blank=True)
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor", "version"], name="agreement_version_once"),
            models.CheckConstraint(
                condition=Q(
                    accept_window_cost_s__gt=0,
                    accept_window_speed_s__gt=0,
                    accept_window_accuracy_s__gt=0,
                    min_batch__gt=0,
                    max_concurrent__gt=0,
                    start_window_s__gt=0,
                    seconds_per_label__gt=0,
                ),
                name="agreement_numbers_positive",
            ),
        ]
