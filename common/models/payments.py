"""What we ask of the payment provider, whom it knows for us, and what it tells us."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from common.models.accounts import Organization
from common.models.base import BaseModel


class PaymentCustomer(BaseModel):
    """A customer organization as the payment provider knows it."""

    public_prefix = "pcu"

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="payment_customer")
    provider_id = models.CharField(max_length=100, unique=True)


class PaymentMethod(BaseModel):
    """A card or bank account of a customer, kept by the provider; the newest active one is charged by default."""

    public_prefix = "pmt"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="payment_methods")
    provider_id = models.CharField(max_length=100, unique=True)


class PayoutAccount(BaseModel):
    """Where a vendor organization is paid; ``is_ready`` when the provider can send money to it."""

    public_prefix = "pac"

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="payout_account")
    provider_id = models.CharField(max_length=100, unique=True)
    is_ready = models.BooleanField(default=False)
    missing = models.JSONField(default=list)


class MoneyOp(BaseModel):
    """An intent to move money through the provider, committed before anything is asked of it.

    ``suffix`` is part of the idempotency key; ``outcome`` tells what is known of the last attempt.
    ``next_attempt_at`` is set exactly while somebody still has to do something; of an amount that is only authorised,
    once it is said what is to be taken.
    """

    public_prefix = "mop"

    class Kind(models.TextChoices):
        """What it does."""

        TOP_UP = "top_up", "A customer's card or bank account pays into the wallet"
        REFUND = "refund", "Wallet money goes back to where it came from"
        CARD_HOLD = "card_hold", "An amount is held on a customer's card, and taken when it is known"
        PAYOUT = "payout", "What a vendor earned is sent to its account"

    class State(models.TextChoices):
        """Where it stands."""

        PLANNED = "planned"
        PROCESSING = "processing"
        AUTHORIZED = "authorized"
        DONE = "done"
        FAILED = "failed"

    class Outcome(models.TextChoices):
        """What is known of the last attempt."""

        NONE = "none", "Not tried, or known not to have happened"
        UNKNOWN = "unknown", "May have happened: look, then try with the same key"
        SAVED_ERROR = "saved_error", "May have happened, and the key would only repeat the error: look, then a new key"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PLANNED)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="money_ops")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    facts = models.JSONField(default=dict)
    suffix = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.NONE)
    key_used_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, db_default=Now())
    provider_id = models.CharField(max_length=100, default="", blank=True)
    error_code = models.CharField(max_length=100, default="", blank=True)
    error = models.TextField(default="", blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=10**13), name="op_amount_in_range"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], next_attempt_at__isnull=True)
                | Q(state__in=["planned", "processing"], next_attempt_at__isnull=False)
                | Q(state="authorized"),
                name="op_due_while_open",
            ),
            models.UniqueConstraint(
                fields=["kind", "provider_id"], condition=~Q(provider_id=""), name="op_one_per_provider_object"
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="op_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=["organization", "-id"], name="op_by_organization"),
        ]


class ProviderEvent(BaseModel):
    """Something the provider told us, by webhook or when asked; taken in once, acted on by fetching the object anew."""

    public_prefix = "pev"

    provider_id = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=100)
    object_id = models.CharField(max_length=100)
    facts = models.JSONField(default=dict)
    due_at = models.DateTimeField(null=True, db_default=Now())
    listed_at_s = models.BigIntegerField(null=True)
    """When it happened by the provider's clock, once it was seen in the provider's own list; null while only told."""

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="provider_event_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["-listed_at_s"], name="provider_event_listed", condition=Q(listed_at_s__isnull=False)),
        ]
