"""What choosing and training really cost, as measured."""

from django.db import models
from django.db.models import Q

from common.models import BaseModel
from curation.models.experiments import Experiment


class ComputeStage(models.TextChoices):
    """Work of ours that is measured."""

    PLAN = "plan", "weighing further opinions against new records"
    SELECT = "select", "choosing the records"
    SHARD = "shard", "scoring and drawing a shard of a large pool"
    TRAIN = "train", "training and evaluating"


class ComputeEntry(BaseModel):
    """An attempt at a stage of a round: one row when it begins, with zeros, and one when it ends, with what it cost.

    Append-only (a trigger refuses change), so a stage repeated after a failure counts as often as it ran. An attempt
    without an end is running, or was killed: its cost is not known, and nothing is put in its place.
    ``cpu_us`` is of the process with all its threads and the children it waited for; ``n_rows`` are rows of features
    worked on. What a shard cost is in its own entry and not in that of the stage that asked for it.
    """

    public_prefix = "cpu"

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="compute")
    round = models.PositiveIntegerField()
    stage = models.CharField(max_length=16, choices=ComputeStage.choices)
    shard = models.PositiveIntegerField(null=True)
    attempt = models.UUIDField()
    is_end = models.BooleanField()
    cpu_us = models.PositiveBigIntegerField(default=0)
    wall_us = models.PositiveBigIntegerField(default=0)
    n_rows = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attempt", "is_end"], name="compute_begins_and_ends_once"),
            models.CheckConstraint(
                condition=Q(is_end=True) | Q(cpu_us=0, wall_us=0, n_rows=0), name="compute_costs_at_its_end"
            ),
            models.CheckConstraint(condition=Q(stage__in=ComputeStage.values), name="compute_stage_known"),
        ]
        indexes = [models.Index(fields=["experiment", "round"], name="compute_by_round")]
