"""Papers a vendor hands in, and the append-only record of what was decided about it."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from common.models import BaseModel, Organization
from vendors.core import evidence
from vendors.models.capabilities import Capability
from vendors.models.vendors import Vendor


class VendorDocument(BaseModel):
    """A paper that supports a capability (or the vendor as a whole), checked by staff; it runs out at ``expires_at``.

    Its file lies with the vendor (``uri``) or in our storage (``file_url``, of ``media_type``). ``n_warnings`` counts
    the notices sent (30 and 7 days before).
    """

    public_prefix = "doc"

    class State(models.TextChoices):
        """Whether staff have checked it."""

        PENDING = "pending"
        VERIFIED = "verified"
        REJECTED = "rejected"

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="documents")
    capability = models.ForeignKey(Capability, on_delete=models.CASCADE, null=True, related_name="documents")
    kind = models.CharField(max_length=32, choices=[(kind, kind.replace("_", " ")) for kind in evidence.KINDS])
    number = models.CharField(max_length=200)
    uri = models.CharField(max_length=2000, blank=True)
    file_url = models.CharField(max_length=2000, default="", blank=True)
    media_type = models.CharField(max_length=40, default="", blank=True)
    sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    reason = models.TextField(default="", blank=True)
    decided_at = models.DateTimeField(null=True)
    n_warnings = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("issued_at")), name="document_lasts"
            ),
            models.CheckConstraint(condition=~Q(uri="", file_url=""), name="document_is_somewhere"),
            models.CheckConstraint(condition=Q(sha256__regex="^[0-9a-f]{64}$"), name="document_checksum"),
            models.UniqueConstraint(
                fields=["vendor", "sha256", "capability"], name="document_once", nulls_distinct=False
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="document_expiry", condition=Q(state="verified")),
        ]


class VendorEvent(models.Model):
    """What happened to a vendor: who did it, why, with the facts. Append-only (a trigger refuses change)."""

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(db_default=Now())
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=40)
    actor_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(default="", blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["vendor", "-id"], name="vendor_event_by_vendor")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.pk})"


class Appeal(BaseModel):
    """A vendor's objection to a decision about it; staff answer with a reason. One open appeal a vendor."""

    public_prefix = "apl"

    class State(models.TextChoices):
        """What came of it."""

        OPEN = "open"
        GRANTED = "granted"
        DENIED = "denied"

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="appeals")
    event = models.ForeignKey(VendorEvent, on_delete=models.PROTECT, related_name="appeals")
    text = models.TextField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    reason = models.TextField(default="", blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor"], condition=Q(state="open"), name="appeal_one_open"),
            models.UniqueConstraint(fields=["event"], name="appeal_once_per_decision"),
        ]


class VendorInvitation(BaseModel):
    """A customer's invitation to a vendor of its own (in-house labelers, a BPO under contract): invisible to others.

    Used by one vendor or withdrawn, never both.
    """

    public_prefix = "inv"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="vendor_invitations")
    name = models.CharField(max_length=200)
    token_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    vendor = models.OneToOneField(Vendor, on_delete=models.CASCADE, null=True, related_name="invitation")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(vendor__isnull=True) | Q(withdrawn_at__isnull=True), name="invitation_used_or_withdrawn"
            ),
        ]
