"""Rules as data, their dry runs, and what they did."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.models import BaseModel
from marketplace.core import rules
from marketplace.models.annotations import Annotation
from marketplace.models.jobs import Job
from vendors.models import Vendor


class Rule(BaseModel):
    """A collector, a condition and an action for one job, or for the whole market where ``job`` is null.

    ``revision`` grows with each change; a changed rule is off until it is tried and switched on again.
    """

    public_prefix = "rul"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, null=True, related_name="rules")
    name = models.CharField(max_length=200)
    revision = models.PositiveIntegerField(default=1)
    subject = models.CharField(max_length=16)
    collector = models.CharField(max_length=32)
    comparator = models.CharField(max_length=2)
    threshold = models.FloatField()
    min_n = models.PositiveIntegerField()
    window_answers = models.PositiveIntegerField(null=True)
    window_s = models.PositiveIntegerField(null=True)
    action = models.CharField(max_length=32)
    duration_s = models.PositiveIntegerField(null=True)
    on_since_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(min_n__gte=1), name="rule_min_n_positive"),
            models.CheckConstraint(
                condition=Q(window_answers__isnull=True) | Q(window_answers__gte=F("min_n")), name="rule_window_fits"
            ),
            models.CheckConstraint(
                condition=Q(window_s__isnull=True) | Q(window_s__gte=1), name="rule_window_positive"
            ),
            models.UniqueConstraint(fields=["job", "name"], name="rule_name_once", nulls_distinct=False),
        ]
        indexes = [models.Index(fields=["job"], name="rule_on", condition=Q(on_since_at__isnull=False))]

    @property
    def is_on(self) -> bool:
        """Whether the rule acts."""
        return self.on_since_at is not None

    @property
    def terms(self) -> rules.Rule:
        """The rule as the core evaluates it."""
        return rules.Rule(
            subject=self.subject,
            collector=self.collector,
            comparator=self.comparator,
            threshold=self.threshold,
            min_n=self.min_n,
            action=self.action,
            window_answers=self.window_answers,
            window_s=self.window_s,
            duration_s=self.duration_s,
        )


class RuleTrial(BaseModel):
    """A dry run of one revision over the answers there are: whom it would have hit, when, with the numbers."""

    public_prefix = "rtr"

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="trials")
    revision = models.PositiveIntegerField()
    n_answers = models.PositiveIntegerField()
    n_subjects = models.PositiveIntegerField()
    n_subjects_hit = models.PositiveIntegerField()
    n_hits = models.PositiveIntegerField()
    hits = models.JSONField(default=list)


class RuleEffect(BaseModel):
    """What a rule did to an annotator or a vendor, why, and until when; only its reversal is ever added to it.

    ``job`` is null for effects on the whole market. The answer that set it off (``trigger``) does so once.
    """

    public_prefix = "eff"

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="effects")
    revision = models.PositiveIntegerField()
    job = models.ForeignKey(Job, on_delete=models.CASCADE, null=True, related_name="rule_effects")
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="rule_effects")
    annotator = models.CharField(max_length=100, default="", blank=True)
    trigger = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=32)
    value = models.FloatField()
    n = models.PositiveIntegerField()
    words = models.TextField()
    starts_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    reversed_at = models.DateTimeField(null=True)
    reversal = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "vendor", "annotator", "trigger"], name="rule_effect_once"),
            models.CheckConstraint(
                condition=Q(reversed_at__isnull=True, reversal="") | (Q(reversed_at__isnull=False) & ~Q(reversal="")),
                name="rule_effect_reversal_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["vendor", "action"], name="rule_effect_in_force", condition=Q(reversed_at=None)),
        ]
