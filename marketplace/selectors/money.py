"""Money as its owner sees it: balances, ledger lines, operations."""

import uuid
from dataclasses import dataclass

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Sum, When

from common.actors import PLATFORM, Actor
from common.errors import PermissionDeniedError
from common.ledger import Kind
from common.models import (
    LedgerAccount,
    LedgerEntry,
    MoneyOp,
    PaymentMethod,
    ReconciliationDifference,
    ReconciliationRun,
)
from marketplace.models import CardHold

OWN_KINDS = (Kind.WALLET, Kind.HOLD, Kind.PAYABLE, Kind.IN_TRANSFER, Kind.CLAWBACK)


@dataclass(frozen=True, slots=True)
class Balance:
    """One kind of money of an organization in one currency, micro-units."""

    kind: str
    currency: str
    amount_micro: int

    @property
    def kind_in_words(self) -> str:
        """What the money is."""
        return str(LedgerAccount.Kind(self.kind).label)


def balances(actor: Actor) -> list[Balance]:
    """Return the balances of the actor's organization by kind and currency; holds of all jobs together. One query."""
    totals: dict[tuple[str, str], int] = {}
    for kind, currency, amount in _accounts(actor).values_list("kind", "currency", "balance"):
        totals[kind, currency] = totals.get((kind, currency), 0) + amount
    return [Balance(kind, currency, amount) for (kind, currency), amount in sorted(totals.items())]


def entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """Return the ledger lines of the actor's organization, newest first, ``signed_micro`` as its balances changed.

    A movement between two of its own accounts (wallet to hold) is shown once, with its amount and no sign.
    """
    organization_id = _organization(actor)
    mine = Q(credit__organization_id=organization_id), Q(debit__organization_id=organization_id)
    return (
        LedgerEntry.objects.select_related("debit", "credit")
        .filter(mine[0] | mine[1])
        .annotate(
            signed_micro=Case(When(mine[0], then=F("amount")), default=-F("amount"), output_field=BigIntegerField())
        )
        .order_by("-id")
    )


def operations(actor: Actor) -> QuerySet[MoneyOp]:
    """Return payments, refunds and payouts of the actor's organization, newest first."""
    return MoneyOp.objects.filter(organization_id=_organization(actor)).order_by("-id")


def methods(actor: Actor) -> QuerySet[PaymentMethod]:
    """Return the payment methods of the actor's organization, newest first."""
    return PaymentMethod.objects.filter(organization_id=_organization(actor)).order_by("-id")


def card_holds(actor: Actor) -> QuerySet[CardHold]:
    """Return the amounts held on the cards of the actor's organization, newest first."""
    return CardHold.objects.select_related("op").filter(op__organization_id=_organization(actor)).order_by("-id")


def reconciliation_runs(actor: Actor) -> QuerySet[ReconciliationRun]:
    """Return the comparisons with the provider's books, newest first: for staff alone."""
    _staff(actor)
    return ReconciliationRun.objects.order_by("-id")


def reconciliation_differences(actor: Actor, *, is_open: bool | None = None) -> QuerySet[ReconciliationDifference]:
    """Return the differences found, newest first, only open or resolved ones if asked: for staff alone."""
    _staff(actor)
    rows = ReconciliationDifference.objects.order_by("-id")
    return rows if is_open is None else rows.filter(resolved_at__isnull=is_open)


def books(actor: Actor) -> list[Balance]:
    """Return the whole ledger by kind and currency, holds, wallets and payables of all together: for staff. One query.

    All kinds of a currency together are 0.
    """
    _staff(actor)
    rows = LedgerAccount.objects.values_list("kind", "currency").annotate(total=Sum("balance")).order_by("kind")
    return [Balance(kind, currency, int(total)) for kind, currency, total in rows]


def _staff(actor: Actor) -> None:
    actor.require("reconciliation:read")
    if actor.organization_kind != PLATFORM:
        raise PermissionDeniedError("Only the platform's staff sees this.")


def _accounts(actor: Actor) -> QuerySet[LedgerAccount]:
    return LedgerAccount.objects.filter(organization_id=_organization(actor), kind__in=OWN_KINDS)


def _organization(actor: Actor) -> uuid.UUID:
    if actor.organization_id is None:
        raise PermissionDeniedError("This needs an organization.")
    return actor.organization_id
