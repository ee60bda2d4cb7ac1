"""The ledger: accounts, and entries that move money between two of them and never change."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from common.models.accounts import Organization
from common.models.base import BaseModel


class LedgerAccount(BaseModel):
    """Where money stands; ``balance = credits - debits`` in micro-units, kept by a trigger on the entries alone.

    What the platform owes (wallets, holds, payables) stands positive, what it has (at the payment provider) negative;
    all balances of a currency together are zero. ``balance >= floor`` always; no floor means no limit.
    """

    public_prefix = "acc"

    class Kind(models.TextChoices):
        """What the money in it is."""

        PROVIDER = "provider", "At the payment provider"
        PROVIDER_FEES = "provider_fees", "Fees of the payment provider"
        WALLET = "wallet", "A customer's prepaid money"
        HOLD = "hold", "Reserved for a job"
        PAYABLE = "payable", "Owed to a vendor"
        IN_TRANSFER = "in_transfer", "On its way to a vendor"
        CLAWBACK = "clawback", "Owed by a vendor"
        PLATFORM_FEE = "platform_fee", "Earned by the platform"
        AUTHORIZED = "authorized", "Held on customers' cards, not taken yet"
        DISPUTES = "disputes", "Withdrawn by a cardholder's bank"
        SUSPENSE = "suspense", "Unexplained; 0 when the books are closed"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    owner = models.UUIDField(null=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    currency = models.CharField(max_length=3)
    balance = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "owner", "currency"], name="account_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(floor__isnull=True) | Q(balance__gte=F("floor")), name="account_not_overdrawn"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="account_currency_code"),
        ]
        indexes = [models.Index(fields=["organization", "kind"], name="account_by_organization")]


class LedgerEntry(BaseModel):
    """An amount moved from one account (debit) to another (credit), once: the key says for what. Never changed."""

    public_prefix = "ent"

    key = models.CharField(max_length=200, unique=True)
    debit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="credits")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    group = models.CharField(max_length=200, blank=True, default="")
    memo = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lte=10**17), name="entry_amount_in_range"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="entry_moves_something"),
        ]
        indexes = [
            models.Index(fields=["group"], name="entry_by_group", condition=~Q(group="")),
            BrinIndex(fields=["created_at"], name="entry_by_time"),
        ]
