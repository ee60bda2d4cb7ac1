"""The closed loop as a row: which step comes next, and when to look again."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.models import BaseModel, Organization
from marketplace.core import states
from marketplace.models.jobs import Job, Lot


class Campaign(BaseModel):
    """An experiment tied to a standing job: buys lots until rounds, target or budget are reached.

    Its ``max_rounds`` begin with ``first_round``; those before were turned by hand, and nothing of them is bought.
    One that ``asks_again`` spends a part of each round on further opinions where they are worth more than new records;
    vetting then asks for ``min_overlap`` answers and leaves all further ones to it.
    With a ``value_of_day_micro`` the size of each round follows from the market's speed, and ``max_rounds`` times the
    experiment's batch size is the most records there will be.
    With ``max_cpu_s`` it ends before a round that is forecast to use up more CPU seconds, all rounds together.
    In the modes veto and approve a round's picks wait in the phase review, its order held back until ``review_due_at``:
    ``review_s`` after the proposal, or when the customer approves; until then null in mode approve. ``proposed_again``
    holds the further opinions of the proposal, as pairs of key and vendor. ``remind_at``: when the customer
    is owed a reminder of it.
    ``next_check_at`` is a lease: whoever moves it forward runs the next step; a lost runner's lease runs out.
    """

    public_prefix = "cmp"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="campaigns")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="campaign")
    experiment_id = models.UUIDField(unique=True)
    state = models.CharField(
        max_length=16, choices=states.choices_of(states.CampaignState), default=states.CampaignState.RUNNING
    )
    phase = models.CharField(
        max_length=16, choices=states.choices_of(states.CampaignPhase), default=states.CampaignPhase.SELECT
    )
    first_round = models.PositiveIntegerField(default=1)
    round = models.PositiveIntegerField(default=1)
    max_rounds = models.PositiveIntegerField()
    target_accuracy = models.FloatField(null=True)
    value_of_point_micro = models.BigIntegerField(null=True)
    value_of_day_micro = models.BigIntegerField(null=True)
    asks_again = models.BooleanField(default=False)
    max_cpu_s = models.PositiveIntegerField(null=True)
    mode = models.CharField(
        max_length=16, choices=states.choices_of(states.CampaignMode), default=states.CampaignMode.AUTO
    )
    review_s = models.PositiveIntegerField(null=True)
    review_due_at = models.DateTimeField(null=True)
    remind_at = models.DateTimeField(null=True)
    proposed_again = models.JSONField(default=list)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="campaigns")
    next_check_at = models.DateTimeField(db_default=Now())
    reason = models.TextField(default="", blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(max_rounds__gt=0), name="campaign_rounds_positive"),
            models.CheckConstraint(
                condition=Q(first_round__gt=0, round__gte=F("first_round")), name="campaign_round_from_first"
            ),
            models.CheckConstraint(condition=Q(value_of_point_micro__gt=0), name="campaign_value_positive"),
            models.CheckConstraint(condition=Q(value_of_day_micro__gt=0), name="campaign_day_positive"),
            models.CheckConstraint(condition=Q(max_cpu_s__gt=0), name="campaign_compute_positive"),
            models.CheckConstraint(
                condition=Q(mode=states.CampaignMode.VETO, review_s__gt=0)
                | Q(mode__in=[states.CampaignMode.AUTO, states.CampaignMode.APPROVE], review_s=None),
                name="campaign_veto_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["next_check_at"], name="campaign_due", condition=Q(state="running")),
            models.Index(fields=["remind_at"], name="campaign_to_remind", condition=Q(state="running", phase="review")),
        ]

    @property
    def last_round(self) -> int:
        """The number of its last round, should nothing end it before."""
        return self.first_round + self.max_rounds - 1
