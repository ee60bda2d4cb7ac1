"""Who uses the service: users, the organizations they act for, and the keys of programs."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models

from common.ids import to_public, uuid7
from common.models.base import BaseModel


class User(AbstractUser):
    """A person who signs in with an e-mail address (kept in ``username`` too)."""

    public_prefix = "usr"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)

    REQUIRED_FIELDS = ["email"]

    @property
    def public_id(self) -> str:
        """The id as the outside sees it."""
        return to_public(self.public_prefix, self.pk)


class Organization(BaseModel):
    """A customer, a vendor or the platform: the owner of everything else."""

    public_prefix = "org"

    class Kind(models.TextChoices):
        """What an organization is here for."""

        CUSTOMER = "customer"
        VENDOR = "vendor"
        PLATFORM = "platform"

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    region = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["customer", "vendor", "platform"]), name="organization_kind_known"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="organization_name_given"),
        ]


class Membership(BaseModel):
    """A user's role in an organization; at most one role each."""

    public_prefix = "mem"

    class Role(models.TextChoices):
        """What a member may do."""

        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"
        FINANCE = "finance"
        VIEWER = "viewer"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organization"], name="membership_once")]


class ApiKey(BaseModel):
    """A program's credential: a public part to find it, the SHA-256 of a secret part to check it."""

    public_prefix = "key"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=100)
    public_part = models.CharField(max_length=26, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40))
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "created_at"], name="api_key_by_organization")]
