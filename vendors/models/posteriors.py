"""What the market has learnt about a vendor, by capability; written with the event that teaches it."""

from django.db import models
from django.db.models import Q

from common.models import BaseModel
from vendors.models.capabilities import Capability


class RatioPosterior(BaseModel):
    """Forgetting counts of a yes-or-no outcome (answer right, offer accepted, accepted work completed)."""

    public_prefix = "rpo"

    class Metric(models.TextChoices):
        """What is counted."""

        ACCURACY = "accuracy"
        ACCEPTANCE = "acceptance"
        COMPLETION = "completion"

    capability = models.ForeignKey(Capability, on_delete=models.CASCADE, related_name="ratios")
    metric = models.CharField(max_length=16, choices=Metric.choices)
    successes = models.FloatField(default=0)
    failures = models.FloatField(default=0)
    n_observed = models.PositiveBigIntegerField(default=0)
    last_silence_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["capability", "metric"], name="ratio_metric_once"),
            models.CheckConstraint(condition=Q(successes__gte=0, failures__gte=0), name="ratio_counts_positive"),
        ]


class DurationPosterior(BaseModel):
    """Forgetting sums of a duration's logarithm (time to answer an offer, time per label)."""

    public_prefix = "dpo"

    class Metric(models.TextChoices):
        """What is timed."""

        RESPONSE = "response"
        LABEL = "label"

    capability = models.ForeignKey(Capability, on_delete=models.CASCADE, related_name="durations")
    metric = models.CharField(max_length=16, choices=Metric.choices)
    weight = models.FloatField(default=0)
    log_sum = models.FloatField(default=0)
    log_sum_sq = models.FloatField(default=0)
    n_observed = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["capability", "metric"], name="duration_metric_once")]
