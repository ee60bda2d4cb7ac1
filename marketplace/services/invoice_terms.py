"""Invoice terms: an approved customer spends first, up to a limit, and pays within so many days of its invoice."""

import uuid

from django.db import transaction

from common import audit, ledger, locks
from common.actors import CUSTOMER, Actor
from common.clock import database_now
from common.errors import NotFoundError, PermissionDeniedError, ValidationFailedError
from common.models import Organization
from marketplace.models import InvoiceTerms
from marketplace.services.holds import wallet_of


def grant(*, actor: Actor, organization_id: uuid.UUID, currency: str, limit_micro: int, days: int) -> InvoiceTerms:
    """Give a customer invoice terms in a currency, or change them; safe to repeat.

    A limit below what is used already lends nothing more and asks nothing back before the invoice is due. Locks the
    organization, then the wallet.

    Raises
    ------
    ValidationFailedError
        When there is no such customer.
    """
    _staff(actor)
    with transaction.atomic(durable=True):
        customer = locks.row(Organization.objects.filter(pk=organization_id, kind=CUSTOMER))
        if customer is None:
            raise ValidationFailedError.of("organization", "unknown", "There is no such customer.")
        terms, _ = InvoiceTerms.objects.update_or_create(
            organization=customer,
            currency=currency,
            defaults={"limit_micro": limit_micro, "days": days, "revoked_at": None},
        )
        _lend(terms, limit_micro)
        facts = {"currency": currency, "limit_micro": limit_micro, "days": days}
        audit.record(actor=actor, action="invoice_terms.granted", target=terms, **facts)
        return terms


def revoke(*, actor: Actor, terms_id: uuid.UUID) -> InvoiceTerms:
    """End invoice terms: nothing more is lent; what is owed stays due as invoiced. Safe to repeat. Locks as `grant`."""
    _staff(actor)
    with transaction.atomic(durable=True):
        found = InvoiceTerms.objects.filter(pk=terms_id).first()
        if found is None:
            raise NotFoundError("There are no such invoice terms.")
        locks.row(Organization.objects.filter(pk=found.organization_id))
        found.refresh_from_db()
        if found.revoked_at is None:
            found.revoked_at = database_now()
            found.save(update_fields=["revoked_at"])
            _lend(found, 0)
            audit.record(actor=actor, action="invoice_terms.revoked", target=found)
        return found


def _lend(terms: InvoiceTerms, limit_micro: int) -> None:
    """Let the wallet down to the limit, or to where it is already."""
    ledger.set_floor(wallet_of(terms.organization_id, terms.currency), -limit_micro)


def _staff(actor: Actor) -> None:
    actor.require("credit:write")
    if not actor.is_staff:
        raise PermissionDeniedError("Only the platform's staff grants credit.")
