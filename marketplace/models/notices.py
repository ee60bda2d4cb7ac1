"""What vendors are told, and what they have asked for after their time ran out."""

from django.db import models

from common.models import BaseModel
from marketplace.models.batches import Batch, Offer
from vendors.models import Vendor


class Notice(BaseModel):
    """A line for a vendor's inbox: of which kind, about what, with the facts its words are made of."""

    public_prefix = "ntc"

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    subject = models.UUIDField()
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["vendor", "-id"], name="notice_by_vendor")]


class LateInterest(BaseModel):
    """A vendor still wants a batch though its offer has run out; considered once, when the batch is ranked anew."""

    public_prefix = "lin"

    offer = models.OneToOneField(Offer, on_delete=models.CASCADE, related_name="interest")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="interests")
    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="+")
    considered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["batch"], name="interest_open", condition=models.Q(considered_at__isnull=True)),
        ]
