"""What a customer orders: schema, instructions, job, gold, lots of records."""

from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from common.models import BaseModel, Organization
from marketplace.core import kinds, states
from marketplace.core.checks import Rules


class LabelSchema(BaseModel):
    """What an annotation must look like; never changed once made."""

    public_prefix = "sch"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    task_type = models.CharField(max_length=32)
    classes = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    rules = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="label_schema_name_once")]

    @property
    def definition(self) -> dict[str, Any]:
        """The schema as the checks read it: classes, where the task type has some, and the customer's rules."""
        return ({"classes": list(self.classes)} if self.classes else {}) | self.rules

    def rules_for(self, record: Mapping[str, Any]) -> Rules:
        """Return what an answer on a record has to keep to, given the record's metadata."""
        return Rules(self.task_type, self.definition, record)

    def shown(self, label: int | None, value: Any, record: Mapping[str, Any]) -> Any:
        """Return a stored label in the JSON form in which labels come in, None where there is none."""
        if value is not None:
            return kinds.get(self.task_type).public(value, self.rules_for(record))
        if label is None or label < 0 or self.task_type != kinds.CLASSIFICATION:
            return None
        return self.classes[label]


class Job(BaseModel):
    """A standing order: what to label and how, what matters, what it may cost. ``0 <= spent <= committed <= budget``.

    ``aql``, a limit of ISO 2859-1 in percent, has work judged by that standard's sample; null: by the sequential test.
    A batch refused more than ``max_relabels`` times waits for its customer.
    A billed job holds money of its customer's wallet: ``committed <= held``; what is held and not committed goes back
    when the job ends.
    """

    public_prefix = "job"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="jobs")
    label_schema = models.ForeignKey(LabelSchema, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=16, choices=states.choices_of(states.JobState), default=states.JobState.OPEN)
    modality = models.CharField(max_length=32)
    language = models.CharField(max_length=16, default="", blank=True)
    domain = models.CharField(max_length=64, default="", blank=True)
    data_class = models.CharField(max_length=16, default="public")
    weight_cost = models.FloatField()
    weight_speed = models.FloatField()
    weight_accuracy = models.FloatField()
    max_price_micro = models.PositiveBigIntegerField(null=True)
    min_accuracy = models.FloatField(null=True)
    currency = models.CharField(max_length=3, default="USD")
    budget_micro = models.PositiveBigIntegerField()
    committed_micro = models.PositiveBigIntegerField(default=0)
    spent_micro = models.PositiveBigIntegerField(default=0)
    is_billed = models.BooleanField(default=False)
    held_micro = models.PositiveBigIntegerField(default=0)
    fee_basis_points = models.PositiveIntegerField(default=1000)
    due_at = models.DateTimeField(null=True)
    batch_size = models.PositiveIntegerField(default=20)
    is_splittable = models.BooleanField(default=True)
    gold_ratio = models.FloatField(default=0.1)
    min_overlap = models.PositiveSmallIntegerField(default=2)
    max_overlap = models.PositiveSmallIntegerField(default=4)
    target_confidence = models.FloatField(default=0.9)
    accuracy_floor = models.FloatField(default=0.7)
    aql = models.FloatField(null=True)
    max_relabels = models.PositiveSmallIntegerField(default=3)
    pinned_vendors = ArrayField(models.UUIDField(), default=list)
    denied_vendors = ArrayField(models.UUIDField(), default=list)
    is_manual = models.BooleanField(default=False)
    max_rounds = models.PositiveSmallIntegerField(default=3)
    max_offers = models.PositiveSmallIntegerField(default=8)
    round_pause_s = models.FloatField(default=300)
    wave_size = models.PositiveSmallIntegerField(default=1)
    review_window_s = models.PositiveIntegerField(default=72 * 3600)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(committed_micro__lte=F("budget_micro")), name="job_within_budget"),
            models.CheckConstraint(condition=Q(spent_micro__lte=F("committed_micro")), name="job_spent_is_committed"),
            models.CheckConstraint(
                condition=Q(is_billed=False, held_micro=0) | Q(is_billed=True, committed_micro__lte=F("held_micro")),
                name="job_commits_what_is_held",
            ),
            models.CheckConstraint(
                condition=Q(min_overlap__gte=1, max_overlap__gte=F("min_overlap")), name="job_overlap_ordered"
            ),
            models.CheckConstraint(condition=Q(gold_ratio__gte=0, gold_ratio__lte=0.5), name="job_gold_ratio"),
            models.CheckConstraint(condition=Q(batch_size__gt=0), name="job_batch_size_positive"),
            models.CheckConstraint(condition=Q(wave_size__gte=1, wave_size__lte=3), name="job_wave_size"),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="job_by_organization"),
            models.Index(
                fields=["id"],
                name="job_release_due",
                condition=Q(state__in=["closed", "cancelled"], held_micro__gt=F("committed_micro")),
            ),
        ]


class InstructionVersion(BaseModel):
    """A version of a job's instructions; every annotation names the version it was made under."""

    public_prefix = "ins"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="instructions")
    version = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "version"], name="instruction_version_once")]


class GoldRecord(BaseModel):
    """A record whose label the customer knows; mixed into batches unseen to check answers.

    ``label`` is the class index, or 0 with the ``value`` of any other task type; -1 when it cannot be labeled.
    """

    public_prefix = "jgd"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="gold")
    key = models.CharField(max_length=200)
    uri = models.CharField(max_length=2000, default="", blank=True)
    metadata = models.JSONField(default=dict)
    label = models.SmallIntegerField()
    value = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="gold_record_once")]


class Lot(BaseModel):
    """Records ordered and vetted together; a campaign adds one per round (``number``)."""

    public_prefix = "lot"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="lots")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=states.choices_of(states.LotState), default=states.LotState.OPEN)
    n_records = models.PositiveIntegerField()
    vet_due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="lot_number_once")]
        indexes = [
            models.Index(fields=["vet_due_at"], name="lot_vet_due", condition=Q(vet_due_at__isnull=False)),
        ]


class JobRecord(BaseModel):
    """A record to label and what is known of its label: class index, or the consensus ``value`` of other task types.

    Both are null until decided and when it cannot be labeled.

    ``difficulty`` is what the customer or the model expects, 0 trivial to 1; null where nobody knows.
    ``is_machine`` marks a label that a model gave and no person: it costs nothing.
    """

    public_prefix = "rec"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="records")
    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="records")
    chunk = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    uri = models.CharField(max_length=2000, default="", blank=True)
    metadata = models.JSONField(default=dict)
    difficulty = models.FloatField(null=True)
    state = models.CharField(
        max_length=16, choices=states.choices_of(states.RecordState), default=states.RecordState.OPEN
    )
    label = models.SmallIntegerField(null=True)
    value = models.JSONField(null=True)
    confidence = models.FloatField(null=True)
    posterior = ArrayField(models.FloatField(), null=True)
    reason = models.CharField(max_length=32, default="", blank=True)
    is_machine = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "key"], name="job_record_once"),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
                name="confidence_is_ratio",
            ),
            models.CheckConstraint(
                condition=Q(difficulty__isnull=True) | Q(difficulty__gte=0, difficulty__lte=1),
                name="difficulty_is_ratio",
            ),
        ]
        indexes = [
            models.Index(fields=["lot", "chunk"], name="record_by_chunk"),
            models.Index(fields=["lot", "chunk"], name="record_undecided", condition=Q(state="open")),
        ]

    @property
    def shown_label(self) -> Any:
        """The label in its JSON form; None while open or when it cannot be labeled (needs job and schema loaded)."""
        return self.job.label_schema.shown(self.label, self.value, self.metadata)

    @property
    def given_by(self) -> str:
        """Who gave the label."""
        return "machine" if self.is_machine else "people"
