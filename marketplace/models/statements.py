"""Statements: what moved in a month, numbered, never changed; and what a statement says of whom it is for."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from common.models import BaseModel, Organization


class BillingProfile(BaseModel):
    """Who a customer or vendor is on paper; each statement keeps a copy of it as it was."""

    public_prefix = "bil"

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="billing_profile")
    legal_name = models.CharField(max_length=200)
    address = models.CharField(max_length=1000)
    country = models.CharField(max_length=2)
    tax_id = models.CharField(max_length=64, blank=True, default="")
    tax_note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="billing_country_code")]


class InvoiceTerms(BaseModel):
    """Leave for a customer's wallet to go below zero, down to a limit, and the days its invoices may be paid in."""

    public_prefix = "itm"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invoice_terms")
    currency = models.CharField(max_length=3)
    limit_micro = models.PositiveBigIntegerField()
    days = models.PositiveSmallIntegerField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "currency"], name="invoice_terms_once")]


class Statement(BaseModel):
    """An organization's money in one currency over one month, from its ledger entries alone.

    ``lines`` hold count, amount, memo and what it is for (a job or an operation, by outside id); a database trigger
    refuses to change or remove a row. Numbers of a kind have no gaps. An invoice of a customer that spent more than it
    paid in asks for the rest: ``due_micro``, whole minor units, by ``due_on``.
    """

    public_prefix = "stm"

    class Kind(models.TextChoices):
        """Whom it is for."""

        INVOICE = "invoice", "Invoice"
        STATEMENT = "statement", "Statement of earnings"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    number = models.PositiveIntegerField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="statements")
    currency = models.CharField(max_length=3)
    period_start = models.DateField()
    period_end = models.DateField()
    opening_micro = models.BigIntegerField()
    closing_micro = models.BigIntegerField()
    turnover_micro = models.BigIntegerField()
    due_micro = models.PositiveBigIntegerField(default=0)
    due_on = models.DateField(null=True)
    party = models.JSONField(default=dict)
    lines: "models.JSONField[list[dict[str, Any]]]" = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="statement_number_once"),
            models.UniqueConstraint(fields=["organization", "currency", "period_start"], name="statement_month_once"),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="statement_period_in_order"),
        ]

    @property
    def title(self) -> str:
        """The number as it is printed."""
        return f"{'INV' if self.kind == self.Kind.INVOICE else 'STM'}-{self.number:06d}"


class StatementNumber(models.Model):
    """The last number given to a kind of statement; locked while the next one is issued."""

    kind = models.CharField(max_length=16, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} {self.last}"
