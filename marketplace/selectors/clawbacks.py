"""Pay taken back, as who paid it, who earned it and staff see it."""

from django.db.models import QuerySet

from common.actors import CUSTOMER, Actor
from common.errors import PermissionDeniedError
from marketplace.models import Clawback


def of(actor: Actor) -> QuerySet[Clawback]:
    """Return clawbacks, newest first: a customer's of its jobs, a vendor's of its work, all for staff."""
    rows = Clawback.objects.select_related("settlement__job", "settlement__vendor").order_by("-id")
    if actor.is_staff:
        return rows
    if actor.organization_id is None:
        raise PermissionDeniedError("This needs an organization.")
    if actor.organization_kind == CUSTOMER:
        return rows.filter(settlement__job__organization_id=actor.organization_id)
    return rows.filter(settlement__vendor__organization_id=actor.organization_id)
