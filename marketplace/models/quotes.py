"""What a customer was told before posting."""

from django.db import models
from django.db.models import F, Q

from common.models import BaseModel
from marketplace.models.jobs import Lot


class JobQuote(BaseModel):
    """The quote under which a lot was ordered, kept beside what came of it; low <= median <= high where given.

    Null where nobody was expected to take anything.
    """

    public_prefix = "quo"

    lot = models.OneToOneField(Lot, on_delete=models.CASCADE, related_name="quote")
    algorithm = models.CharField(max_length=32)
    n_eligible = models.PositiveIntegerField()
    fill_ratio = models.FloatField()
    answers = models.FloatField()
    price_low_micro = models.PositiveBigIntegerField(null=True)
    price_micro = models.PositiveBigIntegerField(null=True)
    price_high_micro = models.PositiveBigIntegerField(null=True)
    eta_low_s = models.FloatField(null=True)
    eta_s = models.FloatField(null=True)
    eta_high_s = models.FloatField(null=True)
    accuracy_low = models.FloatField(null=True)
    accuracy = models.FloatField(null=True)
    accuracy_high = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(fill_ratio__gte=0, fill_ratio__lte=1), name="quote_fill_is_ratio"),
            models.CheckConstraint(
                condition=Q(eta_s__isnull=True) | Q(eta_low_s__lte=F("eta_s"), eta_high_s__gte=F("eta_s")),
                name="quote_eta_ordered",
            ),
        ]
