"""One active-learning run: its rounds, what was picked and why, and what came back."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from common.models import BaseModel, Organization
from curation.models.datasets import Dataset


class ExperimentKind(models.TextChoices):
    """Who or what chooses a round's records."""

    AUTO = "auto", "the engine"
    SINGLE = "single", "one strategy"
    RULE_BASED = "rule_based", "a mix of strategies with shares"
    MANUAL = "manual", "the customer, by key"


class Experiment(BaseModel):
    """A run of selecting from a dataset; deterministic under its seed. `config` holds rules and wishes, if any.

    `gold_counts` says how often each annotator gave which answer to which class of gold, k x k lists by name.
    `trusts_anchor`: the dataset's trusted records show every kind that is wanted, says the customer. `max_cpu_s`: a
    round forecast to exceed so many CPU seconds, all rounds together, is not begun.
    """

    public_prefix = "exp"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="experiments")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="experiments")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=ExperimentKind.choices, default=ExperimentKind.SINGLE)
    strategy = models.CharField(max_length=40)
    config = models.JSONField(default=dict)
    classes = ArrayField(models.CharField(max_length=200))
    seed = models.PositiveBigIntegerField(default=0)
    batch_size = models.PositiveIntegerField(default=40)
    control_ratio = models.FloatField(default=0.05)
    gold_counts = models.JSONField(default=dict)
    trusts_anchor = models.BooleanField(default=False)
    max_cpu_s = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="experiment_name_once"),
            models.CheckConstraint(condition=Q(max_cpu_s__gt=0), name="experiment_compute_positive"),
            models.CheckConstraint(condition=Q(batch_size__gt=0), name="experiment_batch_positive"),
            models.CheckConstraint(
                condition=Q(control_ratio__gte=0, control_ratio__lte=0.5), name="experiment_control_ratio"
            ),
            models.CheckConstraint(condition=Q(kind__in=ExperimentKind.values), name="experiment_kind_known"),
        ]


class Round(BaseModel):
    """One turn of select, label, train; its metrics are set once the labels are in."""

    public_prefix = "rnd"

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    metrics = models.JSONField(null=True)
    evaluated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["experiment", "number"], name="round_number_once"),
            models.CheckConstraint(condition=Q(number__gt=0), name="round_number_positive"),
        ]


class VetoReason(models.TextChoices):
    """Why the customer does not want a record sent; the first three say that nobody could label it."""

    OUT_OF_SCOPE = "out_of_scope", "not of our kind"
    CORRUPTED = "corrupted", "damaged"
    UNREADABLE = "unreadable", "unreadable"
    KNOWN = "known", "we know the answer"
    SENSITIVE = "sensitive", "must not be sent"
    OTHER = "other", "another reason"


class Pick(BaseModel):
    """A record chosen in a round, with the parts of the reason and the reason in words; never chosen twice.

    A vetoed pick is never ordered and, being picked, never chosen again.
    """

    public_prefix = "pck"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="picks")
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="picks")
    row = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    uri = models.CharField(max_length=2000, default="", blank=True)
    metadata = models.JSONField(default=dict)
    rank = models.PositiveIntegerField()
    arm = models.CharField(max_length=40)
    propensity = models.FloatField(null=True)
    utility = models.FloatField()
    parts = models.JSONField(default=dict)
    words = models.TextField()
    vetoed_at = models.DateTimeField(null=True)
    veto_reason = models.CharField(max_length=16, choices=VetoReason.choices, default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(vetoed_at=None, veto_reason="")
                | Q(vetoed_at__isnull=False, veto_reason__in=VetoReason.values),
                name="pick_veto_has_reason",
            ),
            models.UniqueConstraint(fields=["experiment", "row"], name="pick_once"),
            models.UniqueConstraint(fields=["round", "rank"], name="pick_rank_once"),
        ]


class Observation(BaseModel):
    """What came back for a picked record: a class index, or null with the reason why it cannot be labeled.

    `answers` holds pairs of annotator and class index, where it is known who said what.
    """

    public_prefix = "obs"

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="observations")
    row = models.PositiveIntegerField()
    label = models.PositiveIntegerField(null=True)
    reason = models.CharField(max_length=32, default="", blank=True)
    confidence = models.FloatField()
    proba = ArrayField(models.FloatField(), default=list)
    answers = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["experiment", "row"], name="observation_once"),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="observation_confidence_ratio"
            ),
        ]
