"""A model's labels before people's: the terms of a job's first pass, and the pre-labels."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from common.models import BaseModel
from marketplace.core import states
from marketplace.core.first_pass import Role
from marketplace.models.jobs import Job


class FirstPass(BaseModel):
    """How a job treats pre-labels. Auto-accept is off unless the customer wants it, and ends by itself when it fails.

    ``seed`` fixes which records are blind; it is never shown, so that nobody can know beforehand.
    """

    public_prefix = "fip"

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="first_pass")
    blind_ratio = models.FloatField(default=0.1)
    audit_ratio = models.FloatField(default=0.1)
    required_accuracy = models.FloatField()
    is_auto_accept = models.BooleanField(default=False)
    seed = models.BigIntegerField()
    ended_at = models.DateTimeField(null=True)
    ended_why = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(blind_ratio__gt=0, blind_ratio__lte=0.5), name="first_pass_blind"),
            models.CheckConstraint(condition=Q(audit_ratio__gt=0, audit_ratio__lte=1), name="first_pass_audit"),
            models.CheckConstraint(
                condition=Q(required_accuracy__gte=0.5, required_accuracy__lt=1), name="first_pass_required"
            ),
            models.CheckConstraint(
                condition=Q(is_auto_accept=False) | Q(ended_at__isnull=True), name="first_pass_ended_is_off"
            ),
        ]


class PreLabel(BaseModel):
    """What a model says of a record, by the customer's key: before or after the record is ordered, gold too.

    ``blind_chance`` is that with which people were to label the record without seeing this. ``threshold`` is the
    confidence from which labels could stand when the record was ordered; null where this one's is below, or there
    was none.
    """

    public_prefix = "pre"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="prelabels")
    key = models.CharField(max_length=200)
    model = models.CharField(max_length=100)
    label = models.SmallIntegerField()
    value = models.JSONField(null=True)
    confidence = models.FloatField()
    probabilities = ArrayField(models.FloatField(), null=True)
    role = models.CharField(max_length=8, choices=states.choices_of(Role))
    blind_chance = models.FloatField()
    threshold = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "key"], name="prelabel_once"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="prelabel_confidence"),
            models.CheckConstraint(condition=Q(blind_chance__gte=0, blind_chance__lte=1), name="prelabel_chance"),
            models.CheckConstraint(
                condition=~Q(role="accepted") | Q(threshold__isnull=False), name="prelabel_accepted_above"
            ),
        ]
        indexes = [models.Index(fields=["job", "model", "role"], name="prelabel_by_role")]
