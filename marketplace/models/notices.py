"""What vendors and customers are told, and what vendors have asked for after their time ran out."""

from django.db import models
from django.db.models import Q

from common.models import BaseModel, Organization
from marketplace.models.batches import Batch, Offer
from vendors.models import Vendor


class Notice(BaseModel):
    """A line for a vendor's inbox or a customer's: of which kind, about what, with the facts its words are made of."""

    public_prefix = "ntc"

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, null=True, related_name="notices")
    customer = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, related_name="notices", db_index=False
    )
    kind = models.CharField(max_length=40)
    subject = models.UUIDField()
    facts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(vendor__isnull=False, customer=None) | Q(vendor=None, customer__isnull=False),
                name="notice_for_one",
            )
        ]
        indexes = [
            models.Index(fields=["vendor", "-id"], name="notice_by_vendor"),
            models.Index(fields=["customer", "-id"], name="notice_by_customer", condition=Q(customer__isnull=False)),
        ]


class LateInterest(BaseModel):
    """A vendor still wants a batch though its offer has run out; considered once, when the batch is ranked anew."""

    public_prefix = "lin"

    offer = models.OneToOneField(Offer, on_delete=models.CASCADE, related_name="interest")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="interests")
    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="+")
    considered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["batch"], name="interest_open", condition=Q(considered_at__isnull=True)),
        ]
