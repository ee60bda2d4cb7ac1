"""What a vendor can label, and at what price."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.models import BaseModel
from vendors.core import wording
from vendors.models.vendors import Vendor


class Capability(BaseModel):
    """A kind of work: task type x modality x language x domain x data class. Only an active one is offered work.

    It is offered work while it is qualified and covered by papers: ``qualified_until`` and ``evidence_until`` are
    compared with the database's clock wherever that matters; null means for ever.
    """

    public_prefix = "cpb"

    class Status(models.TextChoices):
        """Whether the qualification stands."""

        INACTIVE = "inactive"
        PENDING = "pending"
        ACTIVE = "active"

    class DataClass(models.TextChoices):
        """How sensitive the records are; each class is a capability of its own."""

        PUBLIC = "public"
        INTERNAL = "internal"
        PERSONAL = "personal"
        MEDICAL = "medical"

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="capabilities")
    task_type = models.CharField(max_length=32)
    modality = models.CharField(max_length=32)
    language = models.CharField(max_length=16, default="", blank=True)
    domain = models.CharField(max_length=64, default="", blank=True)
    data_class = models.CharField(max_length=16, choices=DataClass.choices, default=DataClass.PUBLIC)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.INACTIVE)
    qualified_until = models.DateTimeField(null=True)
    evidence_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "task_type", "modality", "language", "domain", "data_class"], name="capability_once"
            ),
            models.CheckConstraint(
                condition=Q(data_class__in=["public", "internal", "personal", "medical"]),
                name="capability_data_class_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["inactive", "pending", "active"]), name="capability_status_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["task_type", "modality", "language", "domain"],
                name="capability_active",
                condition=Q(status="active"),
            )
        ]

    @property
    def words(self) -> str:
        """The kind of work as people say it."""
        return wording.kind_of_work(self.task_type, self.modality, self.language, self.domain, self.data_class)


class PriceListEntry(BaseModel):
    """A price per label from a moment on, never changed (a trigger refuses it); the newest in force counts.

    One with an end has its time for itself: a trigger refuses another that starts within it, or one that spans the
    start of another. Where it ends, the open price before it counts again.
    """

    public_prefix = "prc"

    capability = models.ForeignKey(Capability, on_delete=models.CASCADE, related_name="prices")
    price_micro = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    valid_from = models.DateTimeField(db_default=Now())
    valid_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["capability", "valid_from"], name="price_start_once"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="price_ends_after_start",
            ),
            models.CheckConstraint(condition=Q(price_micro__gt=0, price_micro__lte=10**12), name="price_in_range"),
        ]
