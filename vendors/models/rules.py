"""The market's rules on vendors, and what they did."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from common.models import BaseModel
from vendors.core import rules
from vendors.models.capabilities import Capability
from vendors.models.vendors import Vendor


class VendorRule(BaseModel):
    """A rule as data; ``check_due_at`` is when it is held against the market again."""

    public_prefix = "vrl"

    name = models.CharField(max_length=100, unique=True)
    metric = models.CharField(max_length=32)
    comparator = models.CharField(max_length=2)
    threshold = models.FloatField()
    min_n = models.PositiveIntegerField()
    action = models.CharField(max_length=32)
    window_s = models.FloatField()
    duration_s = models.FloatField(null=True)
    is_enabled = models.BooleanField(default=True)
    check_due_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(min_n__gt=0, window_s__gt=0), name="vendor_rule_numbers_positive"),
        ]

    @property
    def terms(self) -> rules.Rule:
        """The rule as the core knows it."""
        return rules.Rule(
            self.metric, self.comparator, self.threshold, self.min_n, self.action, self.window_s, self.duration_s
        )


class VendorRuleAction(BaseModel):
    """What a rule did to a vendor or one of its capabilities, why, until when; one at a time for each rule."""

    public_prefix = "vra"

    rule = models.ForeignKey(VendorRule, on_delete=models.PROTECT, related_name="actions")
    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="rule_actions")
    capability = models.ForeignKey(Capability, on_delete=models.CASCADE, null=True, related_name="rule_actions")
    action = models.CharField(max_length=32)
    reason = models.TextField()
    facts = models.JSONField(default=dict)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "vendor", "capability"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="vendor_rule_acts_once",
            )
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="vendor_rule_action_due", condition=Q(ended_at__isnull=True))
        ]
