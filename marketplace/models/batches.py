"""What goes out: batches, their ranking, offers, accepted work."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from common.models import BaseModel
from marketplace.core import states
from marketplace.models.jobs import GoldRecord, Job, JobRecord, Lot
from vendors.models import Capability, Vendor


class RankingRun(BaseModel):
    """One ranking of the candidates of a batch; frozen, so that offers follow a list that can be read later."""

    public_prefix = "rnk"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="rankings")
    algorithm = models.CharField(max_length=32)
    inputs_hash = models.CharField(max_length=64)
    n_eligible = models.PositiveIntegerField()


class Candidate(BaseModel):
    """A vendor's place in a ranking (null when excluded), with its score parts and the reason in words."""

    public_prefix = "cnd"

    run = models.ForeignKey(RankingRun, on_delete=models.CASCADE, related_name="candidates", db_index=False)
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="+", db_index=False)
    capability = models.ForeignKey(Capability, on_delete=models.PROTECT, related_name="+", db_index=False)
    sequence = models.PositiveIntegerField(null=True)
    is_pinned = models.BooleanField(default=False)
    index = models.FloatField(null=True)
    parts = models.JSONField(default=dict)
    words = models.TextField()
    price_micro = models.PositiveBigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    accept_window_s = models.PositiveIntegerField(null=True)
    min_batch = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "vendor"], name="candidate_once"),
            models.UniqueConstraint(fields=["run", "sequence"], name="candidate_place_once"),
        ]


class Batch(BaseModel):
    """A small set of records sent to one vendor. ``chunk`` ties the layers of blind overlap together.

    ``part`` is above 0 for what was left over when a vendor took a part only. ``hard_ratio`` is the share of hard
    ones among its records; null where nothing is known.
    ``review`` is empty until there is something for the customer to review; the time from ``review_from_at`` to
    ``reviewed_at`` is the batch's time to accept.
    A batch of further opinions names the ``wanted_vendor``, whose answers are expected to tell most, and those who have
    answered its records before and may not again (``barred_vendors``).
    ``offer_due_at`` is set exactly while the sweeper owes the batch an offer or a new ranking.
    """

    public_prefix = "bat"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="batches")
    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="batches")
    chunk = models.PositiveIntegerField()
    layer = models.PositiveSmallIntegerField()
    part = models.PositiveSmallIntegerField(default=0)
    hard_ratio = models.FloatField(null=True)
    wanted_vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    barred_vendors = ArrayField(models.UUIDField(), default=list)
    state = models.CharField(
        max_length=16, choices=states.choices_of(states.BatchState), default=states.BatchState.DRAFT
    )
    n_items = models.PositiveIntegerField()
    n_open = models.PositiveIntegerField()
    round = models.PositiveSmallIntegerField(default=0)
    max_round = models.PositiveSmallIntegerField()
    n_offers = models.PositiveSmallIntegerField(default=0)
    ranking = models.ForeignKey(RankingRun, on_delete=models.PROTECT, null=True, related_name="batches")
    offer_due_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, default="", blank=True)
    review = models.CharField(max_length=16, choices=states.choices_of(states.ReviewState), default="", blank=True)
    review_from_at = models.DateTimeField(null=True)
    review_due_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "chunk", "layer", "part"], name="batch_part_once"),
            models.CheckConstraint(condition=Q(n_open__lte=F("n_items")), name="batch_open_within_items"),
            models.CheckConstraint(
                condition=Q(hard_ratio__isnull=True) | Q(hard_ratio__gte=0, hard_ratio__lte=1),
                name="batch_hard_is_ratio",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in states.BatchState]), name="batch_state_known"
            ),
            models.CheckConstraint(
                condition=Q(review="", review_due_at__isnull=True, reviewed_at__isnull=True)
                | Q(review="open", review_due_at__isnull=False, reviewed_at__isnull=True)
                | Q(review__in=["accepted", "refused", "auto"], reviewed_at__isnull=False),
                name="batch_reviewed_once",
            ),
        ]
        indexes = [
            models.Index(fields=["offer_due_at"], name="batch_offer_due", condition=Q(offer_due_at__isnull=False)),
            models.Index(fields=["review_due_at"], name="batch_review_due", condition=Q(review="open")),
            models.Index(fields=["job", "-id"], name="batch_by_job"),
        ]

    @property
    def is_hard(self) -> bool:
        """Whether at least half of the records are known to be hard."""
        return (self.hard_ratio or 0.0) >= 0.5


class Offer(BaseModel):
    """A time-limited proposal of a batch to one vendor, at a price that will not change.

    ``remind_at`` is set while a reminder is owed. ``is_cut`` marks a deadline that the hard cap put before the end of
    the vendor's window in working time; silence until then is not held against it.

    The busiest table keeps the indexes that are read, and two references that are checked: batch (which has job and
    lot) and candidate (which has vendor and capability).
    """

    public_prefix = "off"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="offers", db_index=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    chunk = models.PositiveIntegerField()
    vendor = models.ForeignKey(
        Vendor, on_delete=models.PROTECT, related_name="offers", db_index=False, db_constraint=False
    )
    capability = models.ForeignKey(
        Capability, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="+", db_index=False)
    round = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    slot = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(
        max_length=16, choices=states.choices_of(states.OfferState), default=states.OfferState.LIVE
    )
    n_items = models.PositiveIntegerField()
    price_micro = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    expires_at = models.DateTimeField()
    is_cut = models.BooleanField(default=False)
    remind_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "slot"], condition=Q(state="live"), name="offer_one_live"),
            models.UniqueConstraint(fields=["batch", "round", "vendor"], name="offer_once_per_round"),
            # A vendor sees the records of a chunk in one layer at most: blind overlap means different vendors.
            models.UniqueConstraint(
                fields=["lot", "chunk", "vendor"],
                condition=Q(state__in=["live", "accepted"]),
                name="offer_blind_overlap",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="offer_window_positive"),
            models.CheckConstraint(
                condition=Q(state__in=["live", "accepted", "declined", "expired", "withdrawn"]),
                name="offer_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="live", decided_at__isnull=True) | (~Q(state="live") & Q(decided_at__isnull=False)),
                name="offer_decided_once",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="offer_due", condition=Q(state="live")),
            models.Index(
                fields=["remind_at"], name="offer_remind_due", condition=Q(state="live", remind_at__isnull=False)
            ),
            models.Index(fields=["vendor", "state", "-id"], name="offer_by_vendor"),
        ]


class Assignment(BaseModel):
    """Accepted work; holds one of the vendor's slots while reserved, started or in rework.

    Work not begun at ``start_due_at`` is asked after (``pinged_at``) and ends at ``lapse_at``. ``warn_at`` is set while
    a warning about the deadline is owed.
    ``rules_due_at`` is set while its answers are still to be held against the rules.
    """

    public_prefix = "asg"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="assignments")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="assignments")
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="assignments", db_index=False)
    capability = models.ForeignKey(Capability, on_delete=models.PROTECT, related_name="+", db_index=False)
    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="assignment")
    state = models.CharField(
        max_length=16, choices=states.choices_of(states.AssignmentState), default=states.AssignmentState.RESERVED
    )
    price_micro = models.PositiveBigIntegerField()
    reserved_micro = models.PositiveBigIntegerField()
    n_items = models.PositiveIntegerField()
    n_reworks = models.PositiveSmallIntegerField(default=0)
    start_due_at = models.DateTimeField()
    pinged_at = models.DateTimeField(null=True)
    lapse_at = models.DateTimeField()
    warn_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    rules_due_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(state__in=["reserved", "started", "rework"]),
                name="assignment_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in states.AssignmentState]), name="assignment_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["start_due_at"],
                name="assignment_ping_due",
                condition=Q(state="reserved", pinged_at__isnull=True),
            ),
            models.Index(fields=["lapse_at"], name="assignment_lapse_due", condition=Q(state="reserved")),
            models.Index(
                fields=["warn_at"],
                name="assignment_warn_due",
                condition=Q(state__in=["reserved", "started", "rework"], warn_at__isnull=False),
            ),
            models.Index(fields=["due_at"], name="assignment_due", condition=Q(state__in=["started", "rework"])),
            models.Index(fields=["vendor", "state", "-id"], name="assignment_by_vendor"),
            models.Index(fields=["rules_due_at"], name="assignment_rules_due", condition=Q(rules_due_at__isnull=False)),
        ]


class BatchItem(BaseModel):
    """A place in a batch: a record to label, or a gold record unseen; held by the assignment that answers it."""

    public_prefix = "itm"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items", db_index=False)
    record = models.ForeignKey(JobRecord, on_delete=models.CASCADE, null=True, related_name="items")
    gold = models.ForeignKey(GoldRecord, on_delete=models.CASCADE, null=True, related_name="items")
    position = models.PositiveIntegerField()
    assignment = models.ForeignKey(Assignment, on_delete=models.SET_NULL, null=True, related_name="items")
    is_done = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="item_place_once"),
            models.CheckConstraint(
                condition=Q(record__isnull=True, gold__isnull=False) | Q(record__isnull=False, gold__isnull=True),
                name="item_is_record_or_gold",
            ),
        ]
