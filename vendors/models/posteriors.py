"""What the market has learnt about a vendor, by capability; written with the event that teaches it."""

from django.db import models
from django.db.models import Q

from common.models import BaseModel
from vendors.core.posteriors import AWAY_RATIO
from vendors.models.capabilities import Capability


class RatioPosterior(BaseModel):
    """Forgetting counts of a yes-or-no outcome (answer right, offer accepted, accepted work completed).

    ``p_away`` is the probability that the vendor was away at ``told_at``, when the last offer was answered or ran out;
    both belong to acceptance. Hard records, and batches of mostly hard ones, are counted a second time on their own.
    """

    public_prefix = "rpo"

    class Metric(models.TextChoices):
        """What is counted."""

        ACCURACY = "accuracy"
        ACCURACY_HARD = "accuracy_hard"
        ACCEPTANCE = "acceptance"
        ACCEPTANCE_HARD = "acceptance_hard"
        COMPLETION = "completion"

    capability = models.ForeignKey(Capability, on_delete=models.CASCADE, related_name="ratios")
    metric = models.CharField(max_length=16, choices=Metric.choices)
    successes = models.FloatField(default=0)
    failures = models.FloatField(default=0)
    n_observed = models.PositiveBigIntegerField(default=0)
    p_away = models.FloatField(default=AWAY_RATIO)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["capability", "metric"], name="ratio_metric_once"),
            models.CheckConstraint(condition=Q(successes__gte=0, failures__gte=0), name="ratio_counts_positive"),
            models.CheckConstraint(condition=Q(p_away__gte=0, p_away__lte=1), name="ratio_away_is_a_probability"),
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
