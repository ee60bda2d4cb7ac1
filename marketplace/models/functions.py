"""Labeling functions of a job and their votes: data only, nothing of the customer's is ever run here."""

from django.db import models
from django.db.models import Q

from common.models import BaseModel
from marketplace.models.jobs import GoldRecord, Job, JobRecord


class LabelingFunction(BaseModel):
    """A rule or other weak source of the customer's that votes on records; it is no annotator and earns nothing."""

    public_prefix = "lbf"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="functions")
    name = models.CharField(max_length=100)
    description = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="function_name_once")]


class FunctionVote(BaseModel):
    """A function's vote, a class index, on a record or on gold; abstaining is having none."""

    public_prefix = "lbv"

    function = models.ForeignKey(LabelingFunction, on_delete=models.CASCADE, related_name="votes")
    record = models.ForeignKey(JobRecord, on_delete=models.CASCADE, null=True, related_name="function_votes")
    gold = models.ForeignKey(GoldRecord, on_delete=models.CASCADE, null=True, related_name="function_votes")
    label = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["function", "record"], name="function_vote_once"),
            models.UniqueConstraint(fields=["function", "gold"], name="function_gold_vote_once"),
            models.CheckConstraint(
                condition=Q(record__isnull=True, gold__isnull=False) | Q(record__isnull=False, gold__isnull=True),
                name="function_vote_is_of_record_or_gold",
            ),
        ]
